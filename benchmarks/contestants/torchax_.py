"""PyTorch's network run by JAX, in the way of torchax's guide: https://github.com/google/torchax.

This is the way of PyTorch onto a TPU with the versions of today. BatchNorm's running statistics are not updated in a
compiled step, so that the gate refuses networks with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from typing import Any

import jax
import numpy as np
import optax
import torch
from numpy.typing import NDArray
from torch._ops import OpOverloadPacket

from benchmarks.contestants.jax_programs import JaxContestant
from benchmarks.contestants.settings import set_jax
from benchmarks.contestants.torch_default import channels_first
from benchmarks.contestants.workload import Precision, Workload
from parity.backends.flax.twin import FlaxTwin
from parity.backends.torch.twin import TorchTwin
from parity.data import Batch
from parity.interface.trace import Arrays


@contextmanager
def without_lost_overloads() -> Iterator[None]:
    """Within the context, overloads of operators that PyTorch no longer has are None instead of an error.

    torchax 0.0.13 lists overloads for dimension names, which PyTorch 2.13 has removed, in the tables of its
    environment.
    """
    lookup = OpOverloadPacket.__getattr__

    def lenient(packet: OpOverloadPacket, name: str) -> Any:
        try:
            return lookup(packet, name)
        except AttributeError:
            if name.startswith("__"):
                raise
            return None

    OpOverloadPacket.__getattr__ = lenient  # type: ignore[method-assign] # put back below
    try:
        yield
    finally:
        OpOverloadPacket.__getattr__ = lookup  # type: ignore[method-assign]


with without_lost_overloads():
    import torchax  # type: ignore[import-untyped] # it has no types
    from torchax.interop import jax_view, torch_view  # type: ignore[import-untyped] # it has no types

    torchax.default_env()  # makes the tables

State = dict[str, jax.Array]


class Torchax(JaxContestant):
    """One jitted step that takes over its arguments' memory; network, loss and modes are PyTorch's, the rest JAX's."""

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        set_jax(precision)
        torchax.default_env().config.internal_respect_torch_return_dtypes = precision == "float64"

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build network and optimizer; the weights go in by the project's weight map."""
        recipe, width = self.recipe, self.width
        self._twin = TorchTwin(TorchTwin.build(recipe.network, recipe.config), precision=width)
        self._twin.load(weights)
        self._model = self._twin.model
        arrays = {name: jax.numpy.array(tensor.detach().numpy()) for name, tensor in self._model.state_dict().items()}
        learnable = {name for name, _ in self._model.named_parameters()}
        self._parameters = {name: array for name, array in arrays.items() if name in learnable}
        self._buffers = {name: array for name, array in arrays.items() if name not in learnable}
        other = FlaxTwin(FlaxTwin.build(recipe.network, recipe.config, seed=0), precision=width)  # for its optimizer
        self._tx = other.optimizer(recipe.optimizer, recipe.optimizer.learning_rate)
        self._moments = self._tx.init(self._parameters)
        self._step = jax.jit(self._trained, donate_argnums=(0, 1, 2))
        self._apply = jax.jit(partial(self._forward, training=False))
        self._fed = [(channels_first(b.inputs).astype(width), b.labels.astype(np.int32)) for b in batches]
        self._batches = cycle(self._fed)

    def _forward(self, parameters: State, buffers: State, x: Any, *, training: bool) -> Any:
        """The logits by PyTorch's network, on JAX's arrays."""
        self._model.train(training)
        state, inputs = torch_view(({**parameters, **buffers}, x))
        with torchax.default_env():
            return jax_view(torch.func.functional_call(self._model, state, (inputs,)))

    def _loss(self, parameters: State, buffers: State, x: Any, labels: Any) -> Any:
        logits, wanted = torch_view((self._forward(parameters, buffers, x, training=True), labels))
        with torchax.default_env():
            return jax_view(torch.nn.functional.cross_entropy(logits, wanted))

    def _trained(self, parameters: State, buffers: State, moments: Any, x: Any, labels: Any) -> Any:
        loss, gradients = jax.value_and_grad(self._loss)(parameters, buffers, x, labels)
        updates, moments = self._tx.update(gradients, moments, parameters)
        return optax.apply_updates(parameters, updates), buffers, moments, loss

    def train(self, steps: int) -> float:
        """Train with one call for each step."""
        losses = []
        for x, labels in islice(self._batches, steps):
            *carry, loss = self._step(self._parameters, self._buffers, self._moments, x, labels)
            self._parameters, self._buffers, self._moments = carry
            losses.append(loss)
        jax.block_until_ready((self._parameters, self._buffers, self._moments))
        return float(np.mean(jax.device_get(losses)))

    def infer(self, steps: int) -> None:
        """Infer with one call for each pass."""
        jax.block_until_ready(
            [self._apply(self._parameters, self._buffers, x) for x, _ in islice(self._batches, steps)]
        )

    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, by the project's weight map."""
        now = {name: torch.tensor(np.asarray(array)) for name, array in (self._parameters | self._buffers).items()}
        self._model.load_state_dict(now)
        return self._twin.weights()

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) in evaluation mode."""
        return np.asarray(self._apply(self._parameters, self._buffers, channels_first(inputs).astype(self.width)))
