"""Data-parallel training in Flax: the step is compiled once for a mesh of devices, its batch parted among them.

Source: https://docs.jax.dev/en/latest/distributed_data_loading.html and
https://docs.jax.dev/en/latest/notebooks/Distributed_arrays_and_automatic_parallelization.html.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from parity.backends.flax.session import Carry, FlaxSession, Pass
from parity.data import Batch
from parity.errors import UsageError
from parity.interface.devices import parts
from parity.recipes import Optimizer

if TYPE_CHECKING:
    from parity.backends.flax.twin import FlaxTwin

AXIS = "data"
Given = tuple[jax.Array, jax.Array]  # inputs, labels


def mesh_of(devices: list[Any]) -> Mesh:
    """Devices in a row, along which a batch is parted; the compiler sees to what passes between them."""
    return jax.make_mesh((len(devices),), (AXIS,), devices=devices, axis_types=(AxisType.Auto,))


@contextmanager
def having(platform: str) -> Iterator[None]:
    """Raise UsageError where JAX has no such device when it is asked for one."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"JAX has no {platform} device here ({reason}); use --device cpu or install JAX for it"
        ) from error


def found_devices(platform: str, count: int) -> list[Any]:
    """So many devices of all processes.

    Raises:
        UsageError: there are fewer, or more of which another process's would be left out.
    """
    with having(platform):
        found = jax.devices(platform)
    if len(found) < count or (len(found) > count and jax.process_count() > 1):
        remedy = f"give --devices {len(found)}" if platform != "cpu" else "ask for them before JAX computes anything"
        raise UsageError(f"JAX has {len(found)} {platform} devices here, not the {count} asked for; {remedy}")
    return found[:count]


class ParallelFlaxSession(FlaxSession):
    """A training run on several devices, of this process or of many.

    Weights, buffers and moments are on every device; each gets its part of the batch. The program is one and the same
    function as on one device, so that BatchNorm's statistics and the loss are those of the global batch; a batch that
    the devices do not divide is parted by the compiler, which fills up and masks. With `Devices.norms_apart` each
    device's part is normalised by itself.
    """

    def __init__(self, twin: "FlaxTwin", optimizer: Optimizer, *, brief: bool) -> None:
        self.mesh = mesh_of(found_devices(twin.device, twin.devices.count))
        super().__init__(twin, optimizer, brief=brief)
        self.steps_per_call = 1

    def _begin(self, variables: dict[str, jax.Array]) -> Carry:
        return jax.tree.map(self._everywhere, super()._begin(variables))

    def _everywhere(self, array: Any) -> jax.Array:
        return placed(array, self.mesh, PartitionSpec())

    def _pass(self) -> Pass:
        return Parted(self.twin, self.mesh) if self.twin.devices.norms_apart else Spread(self.twin, self.mesh)

    def _single(self, batch: Batch, rate: Any) -> tuple[Any, ...]:
        return *self._arrays(batch), self._everywhere(rate)

    def _arrays(self, batch: Batch) -> Given:
        """Each device's part of the batch; where they do not divide it all of it, for the compiler to part."""
        spec = PartitionSpec(AXIS if len(batch.labels) % self.mesh.size == 0 else None)
        inputs, labels = super()._arrays(batch)
        return placed(inputs, self.mesh, spec), placed(labels, self.mesh, spec)

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them; the compiler's are equal but the last."""
        inputs, labels = (np.asarray(array) for array in self._arrays(batch))
        size = -(-len(labels) // self.mesh.size)
        even = [slice(size * i, size * (i + 1)) for i in range(self.mesh.size)]
        cuts = parts(len(labels), self.mesh.size) if self.twin.devices.norms_apart else even
        return [Batch(inputs[cut].astype(np.float32), labels[cut].astype(np.int64)) for cut in cuts]

    def told_by_all(self, text: str) -> list[str]:
        """What every process says here, in their order; all as long."""
        found = multihost_utils.process_allgather(np.frombuffer(text.encode(), np.uint8), tiled=False)
        return [bytes(row).decode() for row in np.atleast_2d(found)]

    def _placement(self) -> dict[str, Any]:
        return {"out_shardings": NamedSharding(self.mesh, PartitionSpec())}


def placed(array: Any, mesh: Mesh, spec: PartitionSpec) -> jax.Array:
    """A copy of an array that every process holds the whole of, on the devices of all."""
    host = np.asarray(array)
    return jax.make_array_from_callback(host.shape, NamedSharding(mesh, spec), lambda index: np.array(host[index]))


@dataclass(frozen=True)
class Spread:
    """A training pass over a batch that is parted among devices: the twin's own, statistics and loss are the global
    batch's."""

    twin: "FlaxTwin"
    mesh: Mesh

    def __call__(self, learnable: Any, buffers: Any, x: jax.Array, labels: jax.Array) -> Any:
        """Loss, logits, gradients, buffers."""
        return self.twin.loss_and_gradients(learnable, buffers, spread(x, self.mesh), spread(labels, self.mesh))


def spread(x: jax.Array, mesh: Mesh) -> jax.Array:
    """The array, its first axis parted among the devices."""
    return jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec(AXIS)))


@dataclass(frozen=True)
class Parted:
    """A training pass in which each device normalises by its own part; the loss is the global batch's mean, and the
    running statistics are those of the first part, as of `DistributedDataParallel`'s first process."""

    twin: "FlaxTwin"
    mesh: Mesh

    def __call__(self, learnable: Any, buffers: Any, x: jax.Array, labels: jax.Array) -> Any:
        """Loss, logits, gradients, buffers."""

        def objective(learnable: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            def one(x: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array, Any]:
                logits, after = self.twin.apply({**learnable, **buffers}, x, training=True)
                return self.twin.loss(logits, labels), logits, after

            losses, logits, after = self._each(one, x, labels)
            return losses @ self.weights(len(labels), losses.dtype), (logits, after)

        (loss, (logits, after)), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
        return loss, logits, self.twin.training_gradients(gradients), after

    def weights(self, size: int, dtype: Any) -> jax.Array:
        """Of the parts' mean losses in the loss: their shares of the examples."""
        sizes = [part.stop - part.start for part in self._parts(size)]
        return jnp.array(sizes, dtype) / size

    def _parts(self, size: int) -> list[slice]:
        return [part for part in parts(size, self.mesh.size) if part.stop > part.start]

    def _each(self, one: Callable[..., Any], x: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array, Any]:
        """Losses of the parts, logits of all, and the first part's buffers."""
        found = self._parts(len(labels))
        if len(labels) % self.mesh.size:
            runs = [one(x[part], labels[part]) for part in found]
            losses, logits = (list(column) for column in list(zip(*runs, strict=True))[:2])
            return jnp.stack(losses), jnp.concatenate(logits), runs[0][2]
        stacked = [spread(array.reshape(len(found), -1, *array.shape[1:]), self.mesh) for array in (x, labels)]
        losses, logits, after = jax.vmap(one)(*stacked)
        return losses, logits.reshape(-1, logits.shape[-1]), jax.tree.map(lambda array: array[0], after)
