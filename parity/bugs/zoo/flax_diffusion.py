"""Bugs planted in the Flax twins of the diffusion models: each is the twin with one method or layer replaced."""

import jax
import jax.numpy as jnp
from flax import nnx

import jaxnets
from jaxnets.layers import FeedForward, TimedBlock
from parity.backends.flax.twin import FlaxTwin
from parity.bugs.flax_planting import model_changed, of_class
from parity.bugs.zoo.flax import OtherGelu


def _halved_same(model: nnx.Module, seed: int) -> None:
    del seed
    for _, module in nnx.iter_modules(model):
        if isinstance(module, nnx.Conv) and module.strides == (2, 2):
            module.padding = "SAME"


class _TimeInactive(TimedBlock):
    def __call__(self, x: jax.Array, condition: jax.Array) -> jax.Array:
        y = self.first(nnx.silu(self.norm1(x))) + self.time(condition)[:, None, None, :]
        y = self.last(nnx.silu(self.norm2(y)))
        y = y + (x if self.shortcut is None else self.shortcut(x))
        return y if self.attention is None else self.attention(y)


class _GridAcross(jaxnets.DiT):
    def positions(self, x: jax.Array) -> jax.Array:
        halves = jnp.split(super().positions(x), 2, axis=-1)
        return jnp.concatenate(halves[::-1], axis=-1)


PLANTED: dict[str, type[FlaxTwin]] = {
    "unet-halved-same": model_changed(_halved_same),
    "unet-time-inactive": of_class(TimedBlock, _TimeInactive),
    "dit-gelu": of_class(FeedForward, OtherGelu),
    "dit-grid-across": of_class(jaxnets.DiT, _GridAcross),
}
