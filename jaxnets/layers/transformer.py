"""The block of a transformer whose norms come first."""

import jax
from flax import nnx

from jaxnets.layers.attention import Attention
from jaxnets.layers.dense import dense
from jaxnets.layers.norm import layer_norm
from jaxnets.layers.pre_norm import PreNorm


class FeedForward(nnx.Module):
    """out(GELU(hidden(x))), (…, C) → (…, C).

    Args:
        width: features C.
        hidden: features between the two maps.
        approximate: whether GELU is its approximation by tanh, and not x·Φ(x).
        init: name of the initial distribution.
        rngs: source of the initial weights.
    """

    def __init__(self, width: int, hidden: int, *, approximate: bool, init: str, rngs: nnx.Rngs) -> None:
        self.approximate = approximate
        self.hidden = dense(width, hidden, init=init, rngs=rngs)
        self.out = dense(hidden, width, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply both maps to x (…, C)."""
        return self.out(nnx.gelu(self.hidden(x), approximate=self.approximate))


class Block(PreNorm):
    """x + attention(norm1(x)), then x + mlp(norm2(x)); (B, T, C) → (B, T, C).

    Args:
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        causal: whether a position looks at itself and those before it only.
        epsilon: number that the norms add to the variance.
        approximate: whether GELU is its approximation by tanh.
        init: name of the initial distribution.
        rngs: source of the initial weights.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        *,
        causal: bool,
        epsilon: float,
        approximate: bool,
        init: str,
        rngs: nnx.Rngs,
    ) -> None:
        self.norm1 = layer_norm(width, epsilon=epsilon, rngs=rngs)
        self.attention = Attention(width, heads, causal=causal, init=init, rngs=rngs)
        self.norm2 = layer_norm(width, epsilon=epsilon, rngs=rngs)
        self.mlp = FeedForward(width, hidden, approximate=approximate, init=init, rngs=rngs)
