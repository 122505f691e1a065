"""Data-parallel training in Flax: the step is compiled once for a mesh of devices, its batch parted among them.

Source: https://docs.jax.dev/en/latest/distributed_data_loading.html and
https://docs.jax.dev/en/latest/notebooks/Distributed_arrays_and_automatic_parallelization.html.
"""

from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import NDArray

from parity.backends.flax.training.devices import AXIS, found_devices, mesh_of, placed
from parity.backends.flax.training.graph import State
from parity.backends.flax.training.network import FlaxNetwork
from parity.backends.flax.training.passes import Parted, Spread
from parity.backends.flax.training.session import FlaxSession
from parity.backends.flax.training.steps import Carry, Pass
from parity.data import Batch
from parity.interface.devices import parts
from parity.recipes import Optimizer

InputsAndLabels = tuple[jax.Array, jax.Array]


class ParallelFlaxSession(FlaxSession):
    """A training run on several devices, of this process or of many.

    Weights, buffers and moments are on every device; each gets its part of the batch. The program is one and the same
    function as on one device, so that BatchNorm's statistics and the loss are those of the global batch; a batch that
    the devices do not divide is parted by the compiler, which fills up and masks. With `Devices.norms_apart` each
    device's part is normalised by itself.

    Raises:
        UsageError: there are not as many devices as `Network.devices` says.
    """

    def __init__(self, network: FlaxNetwork, optimizer: Optimizer, *, brief: bool) -> None:
        self.mesh = mesh_of(found_devices(network.device, network.devices.count))
        super().__init__(network, optimizer, brief=brief)
        self.steps_per_call = 1

    def _begin(self, variables: State) -> Carry:
        return jax.tree.map(self._everywhere, super()._begin(variables))

    def _everywhere(self, array: Any) -> jax.Array:
        return placed(array, self.mesh, PartitionSpec())

    def _pass(self) -> Pass:
        return Parted(self.network, self.mesh) if self.network.devices.norms_apart else Spread(self.network, self.mesh)

    def _single(self, batch: Batch, rate: Any) -> tuple[Any, ...]:
        return *self._arrays(batch), self._everywhere(rate)

    def _arrays(self, batch: Batch) -> InputsAndLabels:
        """Each device's part of the batch; where they do not divide it, all of it on each, for the compiler to part."""
        spec = PartitionSpec(AXIS if len(batch.labels) % self.mesh.size == 0 else None)
        return jax.tree.map(lambda array: placed(array, self.mesh, spec), super()._arrays(batch))

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them; the compiler's are equal but the last."""
        held = Batch(*jax.tree.map(lambda array: _as_read(np.asarray(array)), self._arrays(batch)))
        labels = held.labels
        size = -(-len(labels) // self.mesh.size)
        even = [slice(size * i, size * (i + 1)) for i in range(self.mesh.size)]
        cuts = parts(len(labels), self.mesh.size) if self.network.devices.norms_apart else even
        return [held.part(cut) for cut in cuts]

    def told_by_all(self, text: str) -> list[str]:
        """The texts that all processes pass here, in the order of their ranks; they must be equally long."""
        texts = multihost_utils.process_allgather(np.frombuffer(text.encode(), np.uint8), tiled=False)
        return [bytes(row).decode() for row in np.atleast_2d(texts)]

    def _placement(self) -> dict[str, Any]:
        return {"out_shardings": NamedSharding(self.mesh, PartitionSpec())}


def _as_read(array: NDArray) -> NDArray:
    """Inputs or labels in the dtype that a batch has: float32, and whole numbers int64."""
    return array.astype(np.float32 if np.issubdtype(array.dtype, np.floating) else np.int64)
