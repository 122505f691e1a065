"""Attention by dot products."""

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers.dense import dense

Cache = tuple[jax.Array, jax.Array]
"""Keys and values of the positions so far, (B, S, H, D) each, with room for those to come."""


def attend(query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """softmax(Q·Kᵀ/√D)·V, head by head.

    Args:
        query: (B, T, H, D).
        key, value: (B, S, H, D).
        mask: truth values (T, S), or (B, 1, T or 1, S), which of the S each of the T may look at; None hides nothing.

    Returns:
        (B, T, H, D). Differs from `jax.nn.dot_product_attention`, which computes its softmax in float32 whatever it is
        given, and so rounds what a float64 network computes.
    """
    scores = jnp.einsum("bthd,bshd->bhts", query, key) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf)
    return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, axis=-1), value)


def causal_mask(length: int, total: int, start: int | jax.Array = 0) -> jax.Array:
    """Truth values (length, total): position start + i may look at those up to itself."""
    return jnp.arange(total) <= start + jnp.arange(length)[:, None]


class Attention(nnx.Module):
    """Multi-head self-attention, (B, T, C) → (B, T, C), with biases.

    Args:
        width: features C.
        heads: number of heads H, which divides C; each has C/H features.
        causal: whether a position looks at itself and those before it only.
        init: name of the initial distribution.
        rngs: source of the initial weights.

    Differs from `flax.nnx.MultiHeadAttention`: kernels are (C, C), not (C, H, C/H). Source:
    https://arxiv.org/abs/1706.03762.
    """

    def __init__(self, width: int, heads: int, *, causal: bool, init: str, rngs: nnx.Rngs) -> None:
        self.heads = heads
        self.causal = causal
        self.query = dense(width, width, init=init, rngs=rngs)
        self.key = dense(width, width, init=init, rngs=rngs)
        self.value = dense(width, width, init=init, rngs=rngs)
        self.out = dense(width, width, init=init, rngs=rngs)

    def __call__(self, x: jax.Array, there: jax.Array | None = None) -> jax.Array:
        """Let every position of x (B, T, C) look at the others, of which `there` (B, T) are; None is all of them."""
        mask = causal_mask(x.shape[1], x.shape[1]) if self.causal else None
        if there is not None:
            mask = there[:, None, None, :] if mask is None else mask & there[:, None, None, :]
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.out(attend(query, key, value, mask).reshape(x.shape))

    def extend(self, x: jax.Array, cache: Cache, start: int | jax.Array) -> tuple[jax.Array, Cache]:
        """Run on the positions from `start` on, x (B, T, C), which look at those in the cache too; causal.

        Returns:
            the output (B, T, C), and the cache with the keys and values of x in it.
        """
        new = self.split(self.key(x)), self.split(self.value(x))
        key, value = (
            jax.lax.dynamic_update_slice_in_dim(old, part, start, axis=1) for old, part in zip(cache, new, strict=True)
        )
        mask = causal_mask(x.shape[1], key.shape[1], start)
        return self.out(attend(self.split(self.query(x)), key, value, mask).reshape(x.shape)), (key, value)

    def split(self, x: jax.Array) -> jax.Array:
        """(B, T, C) → (B, T, H, C/H)."""
        return x.reshape(*x.shape[:2], self.heads, -1)
