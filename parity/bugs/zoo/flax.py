"""Bugs planted in the Flax twins of the zoo: each is the twin with one small method or layer replaced."""

import jax
from flax import nnx

from jaxnets.layers import Attention, FeedForward
from parity.backends.flax.twin import FlaxTwin
from parity.bugs.flax_planting import of_class


class _OtherGelu(FeedForward):
    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(nnx.gelu(self.hidden(x), approximate=not self.approximate))


class _HeadsLast(Attention):
    def split(self, x: jax.Array) -> jax.Array:
        return x.reshape(*x.shape[:2], -1, self.heads).swapaxes(2, 3)


PLANTED: dict[str, type[FlaxTwin]] = {
    "vit-gelu": of_class(FeedForward, _OtherGelu),
    "vit-heads-last": of_class(Attention, _HeadsLast),
}
