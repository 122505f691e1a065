"""Bugs planted in Flax's training on several devices: each is the session with one small method replaced."""

from typing import Any

import jax
import jax.numpy as jnp

from parity.backends.flax.training.devices import mesh_of
from parity.backends.flax.training.network import FlaxNetwork
from parity.backends.flax.training.parallel import InputsAndLabels, ParallelFlaxSession
from parity.backends.flax.training.passes import Parted, Spread
from parity.backends.flax.training.session import FlaxSession
from parity.backends.flax.training.steps import Pass
from parity.backends.flax.twin import FlaxTwin
from parity.data import Batch
from parity.recipes import Optimizer


def _session(planted: type[ParallelFlaxSession]) -> type[FlaxTwin]:
    """The twin whose training on several devices is another."""

    class Planted(FlaxTwin):
        def session(self, optimizer: Optimizer, *, brief: bool = False) -> FlaxSession:
            several = self.devices.count > 1
            return planted(self, optimizer, brief=brief) if several else super().session(optimizer, brief=brief)

    return Planted


class _OwnStatistics(ParallelFlaxSession):
    def _pass(self) -> Pass:
        return Parted(self.network, self.mesh)


class _Alike(Parted):
    def weights(self, labels: jax.Array, dtype: Any) -> jax.Array:
        shares = super().weights(labels, dtype)
        return jnp.full_like(shares, 1 / len(shares))


class _MeanOfMeans(ParallelFlaxSession):
    def _pass(self) -> Pass:
        return _Alike(self.network, self.mesh)


class _Again(Spread):
    def __call__(self, learnable: Any, buffers: Any, x: jax.Array, labels: jax.Array) -> Any:
        loss, logits, gradients, buffers = super().__call__(learnable, buffers, x, labels)
        return loss, logits, jax.tree.map(lambda g: self.mesh.size * g, gradients), buffers


class _SummedTwice(ParallelFlaxSession):
    def _pass(self) -> Pass:
        return _Again(self.network, self.mesh)


class _FilledUp(ParallelFlaxSession):
    def _arrays(self, batch: Batch) -> InputsAndLabels:
        rows = [*range(len(batch.labels)), *range(-len(batch.labels) % self.mesh.size)]
        return super()._arrays(batch.part(rows))


class _Reversed(ParallelFlaxSession):
    def __init__(self, network: FlaxNetwork, optimizer: Optimizer, *, brief: bool) -> None:
        super().__init__(network, optimizer, brief=brief)
        self.mesh = mesh_of([*self.mesh.devices.ravel()[::-1]])
        with network.setting():
            self._carry = self._begin(network.variables)


PLANTED: dict[str, type[FlaxTwin]] = {
    "pmap-statistics": _session(_OwnStatistics),
    "pmean-of-means": _session(_MeanOfMeans),
    "grad-through-psum": _session(_SummedTwice),
    "padded-batch": _session(_FilledUp),
    "mesh-reversed": _session(_Reversed),
}
