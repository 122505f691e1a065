"""The block of an encoder whose norms come last."""

import jax
from flax import nnx

from jaxnets.layers.attention import Attention
from jaxnets.layers.norm import layer_norm
from jaxnets.layers.transformer import FeedForward


class EncoderBlock(nnx.Module):
    """norm1(x + attention(x)), then norm2(x + mlp(x)), GELU being exact; (B, T, C) → (B, T, C).

    Args:
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        epsilon: number that the norms add to the variance.
        init: name of the initial distribution.
        rngs: source of the initial weights.

    Differs from `Block`, whose norms come first. Source: https://arxiv.org/abs/1706.03762.
    """

    def __init__(self, width: int, heads: int, hidden: int, *, epsilon: float, init: str, rngs: nnx.Rngs) -> None:
        self.attention = Attention(width, heads, causal=False, init=init, rngs=rngs)
        self.norm1 = layer_norm(width, epsilon=epsilon, rngs=rngs)
        self.mlp = FeedForward(width, hidden, approximate=False, init=init, rngs=rngs)
        self.norm2 = layer_norm(width, epsilon=epsilon, rngs=rngs)

    def __call__(self, x: jax.Array, there: jax.Array | None = None) -> jax.Array:
        """Apply the block to x (B, T, C), of whose positions `there` (B, T) are looked at; None is all of them."""
        x = self.norm1(x + self.attention(x, there))
        return self.norm2(x + self.mlp(x))
