"""A mixer written flat: patches, tokens mixed, channels gated, positions added, a pool that is weighted."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

BATCH, SIDE, PATCH, CHANNELS, WIDTH, HIDDEN = 2, 6, 2, 3, 5, 7
TOKENS = (SIDE // PATCH) ** 2


class FlaxMixer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.4)
        self.embed = nnx.Param(draw(rngs.params(), (PATCH * PATCH * CHANNELS, WIDTH)))
        self.place = nnx.Param(draw(rngs.params(), (TOKENS, WIDTH)))
        self.tokens = nnx.Param(draw(rngs.params(), (TOKENS, TOKENS)))
        self.gate = nnx.Param(draw(rngs.params(), (WIDTH, 2 * HIDDEN)))
        self.back = nnx.Param(draw(rngs.params(), (HIDDEN, WIDTH)))
        self.score = nnx.Param(draw(rngs.params(), (WIDTH,)))
        self.layer = nnx.Param(draw(rngs.params(), (WIDTH,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        n = SIDE // PATCH
        p = x.reshape(x.shape[0], n, PATCH, n, PATCH, CHANNELS)
        p = p.transpose(0, 1, 3, 2, 4, 5).reshape(x.shape[0], TOKENS, -1)
        h = p @ self.embed[...]
        h = h + self.place[...]
        m = jnp.einsum("btw,ts->bsw", h, self.tokens[...])
        h = h + jax.nn.gelu(m, approximate=False)
        a, b = jnp.split(h @ self.gate[...], 2, axis=-1)
        g = a * jax.nn.silu(b)
        h = h + self.layer[...] * (g @ self.back[...])
        h = jnp.cumsum(h, axis=1) / jnp.arange(1, TOKENS + 1)[:, None]
        weights = jax.nn.softmax(h @ self.score[...], axis=1)
        pooled = jnp.sum(weights[..., None] * h, axis=1)
        length = jnp.sqrt(jnp.sum(pooled**2, axis=-1, keepdims=True))
        pooled = pooled / jnp.maximum(length, 1e-12)
        return jnp.exp(0.7 * pooled)


class TorchMixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Parameter(0.4 * torch.randn(PATCH * PATCH * CHANNELS, WIDTH))
        self.place = nn.Parameter(0.4 * torch.randn(TOKENS, WIDTH))
        self.tokens = nn.Parameter(0.4 * torch.randn(TOKENS, TOKENS))
        self.gate = nn.Parameter(0.4 * torch.randn(WIDTH, 2 * HIDDEN))
        self.back = nn.Parameter(0.4 * torch.randn(HIDDEN, WIDTH))
        self.score = nn.Parameter(0.4 * torch.randn(WIDTH))
        self.layer = nn.Parameter(0.4 * torch.randn(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n = SIDE // PATCH
        p = x.view(x.shape[0], n, PATCH, n, PATCH, CHANNELS)
        p = p.permute(0, 1, 3, 2, 4, 5).reshape(x.shape[0], TOKENS, -1)
        h = p @ self.embed
        h = h + self.place
        m = torch.einsum("btw,ts->bsw", h, self.tokens)
        h = h + F.gelu(m)
        a, b = (h @ self.gate).chunk(2, dim=-1)
        g = a * F.silu(b)
        h = h + self.layer * (g @ self.back)
        h = h.cumsum(dim=1) / torch.arange(1, TOKENS + 1)[:, None]
        weights = torch.softmax(h @ self.score, dim=1)
        pooled = (weights.unsqueeze(-1) * h).sum(dim=1)
        length = pooled.pow(2).sum(dim=-1, keepdim=True).sqrt()
        pooled = pooled / length.clamp(min=1e-12)
        return torch.exp(0.7 * pooled)


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(6).standard_normal((BATCH, SIDE, SIDE, CHANNELS)).astype(np.float32)
    return FlaxMixer(nnx.Rngs(0)), TorchMixer(), x
