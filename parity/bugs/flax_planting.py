"""How a bug is planted in the Flax twin: its network is changed once it is built."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

from parity.backends.flax.twin import FlaxTwin
from parity.interface.network import Config


def model_changed(change: Callable[[Any, int], None]) -> type[FlaxTwin]:
    """The twin whose network is changed once it is built; `change` is given the seed too."""

    class Planted(FlaxTwin):
        @classmethod
        def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> nnx.Module:
            model = super().build(network, config, seed=seed, init=init)
            change(model, 0 if seed is None else seed)
            return model

    return Planted


def loss_changed(loss: Callable[[jax.Array, jax.Array], jax.Array]) -> type[FlaxTwin]:
    """The twin with another loss."""

    class Planted(FlaxTwin):
        def loss(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
            return loss(logits, labels)

    return Planted


def of_class(old: type, new: type) -> type[FlaxTwin]:
    """The twin whose modules of one class are of another."""

    def change(model: nnx.Module, seed: int) -> None:
        del seed
        for _, module in nnx.iter_modules(model):
            if type(module) is old:
                object.__setattr__(module, "__class__", new)

    return model_changed(change)
