"""Tokens: an embedding with sinusoidal positions, dropout, a head that is tied to the embedding, a pooled mean."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, VOCABULARY, FEATURES = 3, 5, 11, 6


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        sinusoid: order of the halves of the positions' features, "sin cos" or "cos sin".
        times: factor of the embedding: "root", which is √F, or "one".
        rate: rate of dropout, the share that is dropped.
        norm: place of the norm: "before" the layer that is added, or "after" the sum.
        final: whether a norm follows at the end.
        dtype: precision of the embedding's lookup: "same" or "bfloat16".
        shift: number that is added to the ids.
    """

    sinusoid: str = "sin cos"
    times: str = "root"
    rate: float = 0.25
    norm: str = "before"
    final: bool = False
    dtype: str = "same"
    shift: int = 0


def positions(order: str) -> np.ndarray:
    """Sinusoidal positions, (T, F)."""
    angles = np.arange(TIME)[:, None] / 100.0 ** (np.arange(FEATURES // 2) / (FEATURES // 2))
    parts = (np.sin(angles), np.cos(angles))
    return np.concatenate(parts if order == "sin cos" else parts[::-1], -1)


class TorchTokens(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.s = s
        self.embedding = nn.Embedding(VOCABULARY, FEATURES)
        self.dropout = nn.Dropout(s.rate)
        self.norm = nn.LayerNorm(FEATURES)
        self.dense = nn.Linear(FEATURES, FEATURES)
        self.last = nn.LayerNorm(FEATURES)
        self.head = nn.Linear(FEATURES, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        s = self.s
        x = self.embedding((ids + s.shift).clamp(max=VOCABULARY - 1))
        x = x.bfloat16().to(x.dtype) if s.dtype == "bfloat16" else x
        x = x * (FEATURES**0.5 if s.times == "root" else 1.0)
        x = self.dropout(x + torch.tensor(positions(s.sinusoid), dtype=x.dtype))
        x = x + self.dense(self.norm(x)) if s.norm == "before" else self.norm(x + self.dense(x))
        last = self.last(x)
        return self.head(last if s.final else x + 0 * last)


class FlaxTokens(nnx.Module):
    def __init__(self, s: Settings, rngs: nnx.Rngs) -> None:
        self.s = s
        self.embedding = nnx.Embed(VOCABULARY, FEATURES, rngs=rngs)
        self.dropout = nnx.Dropout(s.rate, rngs=rngs)
        self.norm = nnx.LayerNorm(FEATURES, epsilon=1e-5, use_fast_variance=False, rngs=rngs)
        self.dense = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.last = nnx.LayerNorm(FEATURES, epsilon=1e-5, use_fast_variance=False, rngs=rngs)
        self.head = nnx.Linear(FEATURES, 4, rngs=rngs)

    def __call__(self, ids: jax.Array) -> jax.Array:
        s = self.s
        x = self.embedding(jnp.minimum(ids + s.shift, VOCABULARY - 1))
        x = x.astype(jnp.bfloat16).astype(x.dtype) if s.dtype == "bfloat16" else x
        x = x * (FEATURES**0.5 if s.times == "root" else 1.0)
        x = self.dropout(x + jnp.asarray(positions(s.sinusoid), x.dtype))
        x = x + self.dense(self.norm(x)) if s.norm == "before" else self.norm(x + self.dense(x))
        last = self.last(x)
        return self.head(last if s.final else x + 0 * last)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the ids (B, T), and the options."""
    ids = np.random.default_rng(10).integers(0, VOCABULARY, (BATCH, TIME))
    return FlaxTokens(flax, nnx.Rngs(0)), TorchTokens(torch), ids, {"dropout": "shared"}
