"""Self-attention: packed projections, rotary positions, grouped heads, written out on both sides.

Sizes are distinct, so that no wrong permutation fits by its shape alone; scores are large enough that the softmax is
not flat.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, HEADS, GROUPS, SIZE = 2, 5, 4, 2, 6
WIDTH = HEADS * SIZE


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        split: order in which the queries' projection is parted into heads: "heads first" (H, D) or "size first" (D, H).
        rotary: entries that turn together: "halves" (i and i + D/2) or "neighbours" (2i and 2i + 1).
        grouped: order in which keys go to the queries' heads: "repeat" (0 0 1 1) or "tile" (0 1 0 1).
        scaled: the array that is divided by √D: the "scores", or the "input" of the queries' projection, so that its
            bias is not.
        axis: axis of the softmax, "keys" or "queries".
    """

    split: str = "heads first"
    rotary: str = "halves"
    grouped: str = "repeat"
    scaled: str = "scores"
    axis: str = "keys"


def angles() -> np.ndarray:
    """The angles of the rotary positions in radians, (T, D/2)."""
    return np.arange(TIME)[:, None] / 10.0 ** (np.arange(SIZE // 2) / (SIZE // 2))


class TorchAttention(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, GROUPS * SIZE)
        self.value = nn.Linear(WIDTH, GROUPS * SIZE)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s, root = self.settings, SIZE**0.5
        query = self.query(x / root if s.scaled == "input" else x)
        query = self.turned(self.parted(query, HEADS))
        key, value = self.turned(self.parted(self.key(x), GROUPS)), self.parted(self.value(x), GROUPS)
        key, value = self.spread(key), self.spread(value)
        scores = torch.einsum("bthd,bshd->bhts", query, key)
        scores = scores if s.scaled == "input" else scores / root
        weights = torch.softmax(scores, dim=-1 if s.axis == "keys" else -2)
        mixed = torch.einsum("bhts,bshd->bthd", weights, value)
        return self.out(mixed.flatten(2))

    def parted(self, x: torch.Tensor, heads: int) -> torch.Tensor:
        if self.settings.split == "heads first":
            return x.unflatten(-1, (heads, SIZE))
        return x.unflatten(-1, (SIZE, heads)).transpose(-1, -2)

    def spread(self, x: torch.Tensor) -> torch.Tensor:
        if self.settings.grouped == "repeat":
            return x.repeat_interleave(HEADS // GROUPS, dim=2)
        return x.repeat(1, 1, HEADS // GROUPS, 1)

    def turned(self, x: torch.Tensor) -> torch.Tensor:
        angle = torch.tensor(angles(), dtype=x.dtype)[:, None]
        cos, sin = angle.cos(), angle.sin()
        if self.settings.rotary == "halves":
            first, second = x.chunk(2, dim=-1)
            return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)
        first, second = x[..., ::2], x[..., 1::2]
        return torch.stack([first * cos - second * sin, second * cos + first * sin], -1).flatten(-2)


class FlaxAttention(nnx.Module):
    def __init__(self, settings: Settings, rngs: nnx.Rngs) -> None:
        self.settings = settings
        self.query = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.key = nnx.Linear(WIDTH, GROUPS * SIZE, rngs=rngs)
        self.value = nnx.Linear(WIDTH, GROUPS * SIZE, rngs=rngs)
        self.out = nnx.Linear(WIDTH, WIDTH, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        s, root = self.settings, SIZE**0.5
        query = self.query(x / root if s.scaled == "input" else x)
        query = self.turned(self.parted(query, HEADS))
        key, value = self.turned(self.parted(self.key(x), GROUPS)), self.parted(self.value(x), GROUPS)
        key, value = self.spread(key), self.spread(value)
        scores = jnp.einsum("bthd,bshd->bhts", query, key)
        scores = scores if s.scaled == "input" else scores / root
        weights = jax.nn.softmax(scores, axis=-1 if s.axis == "keys" else -2)
        mixed = jnp.einsum("bhts,bshd->bthd", weights, value)
        return self.out(mixed.reshape(*mixed.shape[:2], WIDTH))

    def parted(self, x: jax.Array, heads: int) -> jax.Array:
        if self.settings.split == "heads first":
            return x.reshape(*x.shape[:-1], heads, SIZE)
        return x.reshape(*x.shape[:-1], SIZE, heads).swapaxes(-1, -2)

    def spread(self, x: jax.Array) -> jax.Array:
        times = HEADS // GROUPS
        return jnp.repeat(x, times, axis=2) if self.settings.grouped == "repeat" else jnp.tile(x, (1, 1, times, 1))

    def turned(self, x: jax.Array) -> jax.Array:
        angle = jnp.asarray(angles(), x.dtype)[:, None]
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        if self.settings.rotary == "halves":
            first, second = jnp.split(x, 2, axis=-1)
            return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], -1)
        first, second = x[..., ::2], x[..., 1::2]
        return jnp.stack([first * cos - second * sin, second * cos + first * sin], -1).reshape(x.shape)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, T, H·D), and no options."""
    x = np.random.default_rng(3).standard_normal((BATCH, TIME, WIDTH)).astype(np.float32)
    return FlaxAttention(flax, nnx.Rngs(0)), TorchAttention(torch), x, {}
