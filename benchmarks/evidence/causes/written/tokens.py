"""A small language model written as people write it: tables, ids, masks, layers of both libraries, a tied head."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

BATCH, TIME, VOCABULARY, WIDTH, HEADS = 2, 6, 11, 8, 2


def angles() -> np.ndarray:
    """The angles of the sinusoidal positions in radians, (T, F/2)."""
    rates = 1 / 10000 ** (np.arange(0, WIDTH, 2) / WIDTH)
    return np.asarray((np.arange(TIME)[:, None] * rates).astype(np.float32))


class FlaxModel(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(VOCABULARY, WIDTH, rngs=rngs)
        self.kinds = nnx.Embed(3, WIDTH, rngs=rngs)
        self.norm = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)
        self.packed = nnx.Linear(WIDTH, 3 * WIDTH, rngs=rngs)
        self.out = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.up = nnx.Linear(WIDTH, 3 * WIDTH, rngs=rngs)
        self.down = nnx.Linear(3 * WIDTH, WIDTH, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.last = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)
        self.frozen = nnx.Param(jnp.ones(WIDTH))

    def __call__(self, ids: jax.Array, mask: jax.Array) -> jax.Array:
        h = self.embed(ids) * WIDTH**0.5
        h = h + jnp.stack([jnp.sin(angles()), jnp.cos(angles())], -1).reshape(TIME, WIDTH)
        h = h + self.kinds((ids > 5).astype(jnp.int32))
        n = self.norm(h)
        q, k, v = jnp.split(self.packed(n), 3, axis=-1)
        q, k, v = (a.reshape(*a.shape[:2], HEADS, -1) for a in (q, k, v))
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / (WIDTH // HEADS) ** 0.5
        scores = jnp.where(mask[:, None, None, :], scores, -jnp.inf)
        mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, -1), v)
        h = h + self.out(mixed.reshape(h.shape))
        h = h + self.drop(self.down(jax.nn.gelu(self.up(h), approximate=False)))
        h = self.last(h) * self.frozen[...]
        kept = mask[..., None].astype(h.dtype)
        pooled = (h * kept).sum(1) / kept.sum(1)
        return pooled @ self.embed.embedding[...].T


class TorchModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.kinds = nn.Embedding(3, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.packed = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.up = nn.Linear(WIDTH, 3 * WIDTH)
        self.down = nn.Linear(3 * WIDTH, WIDTH)
        self.drop = nn.Dropout(0.1)
        self.last = nn.LayerNorm(WIDTH)
        self.frozen = nn.Parameter(torch.ones(WIDTH))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        h = self.embed(ids) * WIDTH**0.5
        angle = torch.from_numpy(angles())
        h = h + torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)
        h = h + self.kinds((ids > 5).long())
        n = self.norm(h)
        q, k, v = self.packed(n).chunk(3, dim=-1)
        q, k, v = (a.unflatten(-1, (HEADS, -1)) for a in (q, k, v))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / (WIDTH // HEADS) ** 0.5
        scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        mixed = torch.einsum("bhts,bshd->bthd", scores.softmax(-1), v)
        h = h + self.out(mixed.flatten(2))
        h = h + self.drop(self.down(F.gelu(self.up(h))))
        h = self.last(h) * self.frozen
        kept = mask[..., None].to(h.dtype)
        pooled = (h * kept).sum(1) / kept.sum(1)
        return pooled @ self.embed.weight.T


def pair() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(7)
    mask = np.arange(TIME) < np.array([[6], [4]])
    return FlaxModel(nnx.Rngs(0)), TorchModel(), (rng.integers(0, VOCABULARY, (BATCH, TIME)), mask)
