"""Norms written flat: layer, group, RMS and batch norm, and a weight that is normalised, in one function."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, WIDTH, GROUPS = 3, 5, 8, 2


class FlaxNorms(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.5)
        self.w1 = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))
        self.w2 = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))
        self.scale = nnx.Param(draw(rngs.params(), (WIDTH,)))
        self.shift = nnx.Param(draw(rngs.params(), (WIDTH,)))
        self.gain = nnx.Param(draw(rngs.params(), (WIDTH,)))
        self.slope = nnx.Param(draw(rngs.params(), (WIDTH,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        mean = jnp.mean(x, axis=-1, keepdims=True)
        var = jnp.var(x, axis=-1, keepdims=True)
        h = (x - mean) / jnp.sqrt(var + 1e-5)
        h = h * self.scale[...] + self.shift[...]
        h = jnp.dot(jnp.tanh(h), self.w1[...])
        g = h.reshape(h.shape[0], h.shape[1], GROUPS, WIDTH // GROUPS)
        mean = g.mean(axis=(1, 3), keepdims=True)
        var = g.var(axis=(1, 3), keepdims=True)
        g = (g - mean) * jax.lax.rsqrt(var + 1e-3)
        h = h + g.reshape(h.shape) * self.slope[...]
        square = jnp.mean(h**2, axis=-1, keepdims=True)
        r = h * jax.lax.rsqrt(square + 1e-6)
        r = r * (1.0 + self.gain[...])
        norm = jnp.sqrt(jnp.sum(self.w2[...] ** 2, axis=0, keepdims=True))
        r = jnp.dot(r, self.w2[...] / norm)
        lowest = jnp.min(r, axis=-1, keepdims=True)
        highest = jnp.max(r, axis=-1, keepdims=True)
        r = (r - lowest) / (highest - lowest + 1e-3)
        return jnp.sin(3.0 * r) + x


class TorchNorms(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w1 = nn.Parameter(0.5 * torch.randn(WIDTH, WIDTH))
        self.w2 = nn.Parameter(0.5 * torch.randn(WIDTH, WIDTH))
        self.scale = nn.Parameter(0.5 * torch.randn(WIDTH))
        self.shift = nn.Parameter(0.5 * torch.randn(WIDTH))
        self.gain = nn.Parameter(0.5 * torch.randn(WIDTH))
        self.slope = nn.Parameter(0.5 * torch.randn(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=-1, keepdim=True)
        var = x.var(dim=-1, keepdim=True, unbiased=False)
        h = (x - mean) / torch.sqrt(var + 1e-5)
        h = h * self.scale + self.shift
        h = torch.tanh(h) @ self.w1
        g = h.view(h.shape[0], h.shape[1], GROUPS, WIDTH // GROUPS)
        mean = g.mean(dim=(1, 3), keepdim=True)
        var = g.var(dim=(1, 3), keepdim=True, unbiased=False)
        g = (g - mean) * torch.rsqrt(var + 1e-3)
        h = h + g.view(h.shape) * self.slope
        square = h.pow(2).mean(dim=-1, keepdim=True)
        r = h * torch.rsqrt(square + 1e-6)
        r = r * (1.0 + self.gain)
        norm = self.w2.pow(2).sum(dim=0, keepdim=True).sqrt()
        r = r @ (self.w2 / norm)
        lowest = r.amin(dim=-1, keepdim=True)
        highest = r.amax(dim=-1, keepdim=True)
        r = (r - lowest) / (highest - lowest + 1e-3)
        return torch.sin(3.0 * r) + x


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(3).standard_normal((BATCH, TIME, WIDTH)).astype(np.float32)
    return FlaxNorms(nnx.Rngs(0)), TorchNorms(), x
