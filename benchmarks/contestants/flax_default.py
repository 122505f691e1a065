"""Flax in the way of its own tutorial. Source: https://flax.readthedocs.io/en/stable/mnist_tutorial.html."""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import jax
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from benchmarks.contestants.jax_programs import JaxContestant
from benchmarks.contestants.settings import set_jax
from benchmarks.contestants.workload import Precision, Workload
from jaxnets.losses import cross_entropy
from parity.backends.flax.twin import FlaxTwin
from parity.data import Batch
from parity.interface.trace import Arrays


class Mean(nnx.metrics.Average):
    """Flax's average, but with a sum of the default width instead of float32, so that float64 can be proven."""

    def reset(self) -> None:
        """Set the sum and the count to zero."""
        super().reset()
        self.total.set_value(jax.numpy.zeros(()))


def loss_fn(model: Any, x: Any, labels: Any) -> tuple[jax.Array, jax.Array]:
    """The mean loss and the logits (B, classes) of a batch."""
    logits = model(x)
    return cross_entropy(logits, labels), logits


@nnx.jit
def train_step(model: Any, optimizer: nnx.Optimizer, metrics: nnx.MultiMetric, x: Any, labels: Any) -> jax.Array:
    """Take one training step, in place, and return its loss."""
    (loss, logits), gradients = nnx.value_and_grad(loss_fn, has_aux=True)(model, x, labels)
    metrics.update(loss=loss, logits=logits, labels=labels)
    optimizer.update(model, gradients)
    return loss


@nnx.jit
def predict(model: Any, x: Any) -> jax.Array:
    """The logits (B, classes) of a batch."""
    return model(x)


class FlaxDefault(JaxContestant):
    """Training by `nnx.jit`, `nnx.Optimizer` and `nnx.MultiMetric`, fed with NumPy batches as they are."""

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        set_jax(precision)

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build network and optimizer; the weights go in by the project's weight map."""
        recipe, width = self.recipe, self.width
        self._model: Any = FlaxTwin.build(recipe.network, recipe.config, seed=0)
        self._twin = FlaxTwin(self._model, precision=width)  # for its weight map
        native = self._twin.import_weights(weights)
        for path, variable in nnx.to_flat_state(nnx.state(self._model)):
            variable.set_value(jax.numpy.asarray(native[".".join(map(str, path))], width))
            nnx.update(self._model, nnx.from_flat_state([(path, variable)]))
        tx = self._twin.optimizer(recipe.optimizer, recipe.optimizer.learning_rate)
        self._optimizer = nnx.Optimizer(self._model, tx, wrt=nnx.Param)
        self._metrics = nnx.MultiMetric(accuracy=nnx.metrics.Accuracy(), loss=Mean("loss"))
        self._fed = [(batch.inputs.astype(width), batch.labels.astype(np.int32)) for batch in batches]
        self._batches = cycle(self._fed)

    def train(self, steps: int) -> float:
        """Train with one call for each step."""
        self._model.train()
        self._metrics.reset()
        losses = [
            train_step(self._model, self._optimizer, self._metrics, x, labels)
            for x, labels in islice(self._batches, steps)
        ]
        jax.block_until_ready((nnx.state(self._model), nnx.state(self._optimizer)))
        return float(np.mean(jax.device_get(losses)))

    def infer(self, steps: int) -> None:
        """Infer with one call for each pass."""
        self._model.eval()
        jax.block_until_ready([predict(self._model, x) for x, _ in islice(self._batches, steps)])

    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, by the project's weight map."""
        flat = {".".join(map(str, path)): v[...] for path, v in nnx.to_flat_state(nnx.state(self._model))}
        return self._twin.canonical(flat)

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) in evaluation mode."""
        self._model.eval()
        return np.asarray(predict(self._model, inputs.astype(self._twin.dtype)))
