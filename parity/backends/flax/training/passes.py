"""Training passes of a Flax network over a batch that is parted among the devices of a mesh."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from parity.backends.flax.training.devices import spread
from parity.backends.flax.training.network import FlaxNetwork
from parity.data.batch import UNLABELLED
from parity.interface.devices import parts


@dataclass(frozen=True)
class Spread:
    """A training pass over a batch that is parted among devices, whose statistics and loss are the global batch's.

    It is the network's own; only the layout of x (B, …) and labels (B,) is added.

    Args:
        network: what is trained.
        mesh: the devices in a row.
    """

    network: FlaxNetwork
    mesh: Mesh

    def __call__(self, learnable: Any, buffers: Any, x: Any, labels: jax.Array) -> Any:
        """Loss, logits (B, classes), gradients as the optimizer gets them, and buffers afterwards."""
        x, labels = jax.tree.map(lambda array: spread(array, self.mesh), (x, labels))
        return self.network.loss_and_gradients(learnable, buffers, x, labels)


@dataclass(frozen=True)
class Parted:
    """A training pass in which each device normalises by its own part of the batch.

    The loss is the global batch's mean, and the running statistics are those of the first part, as they are those of
    `DistributedDataParallel`'s first process.

    Args:
        network: what is trained.
        mesh: the devices in a row, one a part.
    """

    network: FlaxNetwork
    mesh: Mesh

    def __call__(self, learnable: Any, buffers: Any, x: Any, labels: jax.Array) -> Any:
        """Loss, logits (B, classes), gradients as the optimizer gets them, and buffers afterwards."""

        def objective(learnable: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            def run_part(x: Any, labels: jax.Array) -> tuple[jax.Array, jax.Array, Any]:
                logits, after = self.network.apply({**learnable, **buffers}, x, training=True)
                return self.network.loss(logits, labels), logits, after

            losses, logits, after = self._each(run_part, x, labels)
            return losses @ self.weights(labels, losses.dtype), (logits, after)

        (loss, (logits, after)), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
        return loss, logits, self.network.training_gradients(gradients), after

    def weights(self, labels: jax.Array, dtype: Any) -> jax.Array:
        """What each part's mean loss counts in the global one: its share of the labels, (parts,) in that dtype."""
        counts = jnp.stack([(labels[part] != UNLABELLED).sum() for part in self._parts(len(labels))])
        return counts.astype(dtype) / counts.sum().astype(dtype)

    def _parts(self, size: int) -> list[slice]:
        return [part for part in parts(size, self.mesh.size) if part.stop > part.start]

    def _each(self, run_part: Callable[..., Any], x: Any, labels: jax.Array) -> tuple[jax.Array, jax.Array, Any]:
        """Losses of the parts (parts,), logits of all examples (B, classes), and the first part's buffers."""
        cuts = self._parts(len(labels))
        if len(labels) % self.mesh.size:
            runs = [run_part(*jax.tree.map(lambda array, cut=cut: array[cut], (x, labels))) for cut in cuts]
            losses, logits = (list(column) for column in list(zip(*runs, strict=True))[:2])
            return jnp.stack(losses), jnp.concatenate(logits), runs[0][2]

        def stacked(array: jax.Array) -> jax.Array:
            return spread(array.reshape(len(cuts), -1, *array.shape[1:]), self.mesh)

        losses, logits, after = jax.vmap(run_part)(*jax.tree.map(stacked, (x, labels)))
        return losses, logits.reshape(-1, *logits.shape[2:]), jax.tree.map(lambda array: array[0], after)
