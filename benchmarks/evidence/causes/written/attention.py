"""Attention written flat: projections, rotary positions, grouped heads, masks and a clipped softmax in one function."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

BATCH, TIME, HEADS, GROUPS, SIZE = 2, 5, 4, 2, 6
WIDTH = HEADS * SIZE


class FlaxAttention(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.3)
        self.query = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))
        self.key = nnx.Param(draw(rngs.params(), (WIDTH, GROUPS * SIZE)))
        self.value = nnx.Param(draw(rngs.params(), (WIDTH, GROUPS * SIZE)))
        self.out = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))
        self.bias = nnx.Param(draw(rngs.params(), (HEADS, 2 * TIME - 1)))

    def __call__(self, x: jax.Array) -> jax.Array:
        batch, time, _ = x.shape
        q = jnp.dot(x, self.query[...])
        q = q.reshape(batch, time, HEADS, SIZE)
        k = jnp.dot(x, self.key[...]).reshape(batch, time, GROUPS, SIZE)
        v = jnp.dot(x, self.value[...]).reshape(batch, time, GROUPS, SIZE)
        position = jnp.arange(time)
        rate = 1.0 / 10000.0 ** (jnp.arange(0, SIZE, 2) / SIZE)
        angle = position[:, None, None] * rate
        sin, cos = jnp.sin(angle), jnp.cos(angle)
        qa, qb = jnp.split(q, 2, axis=-1)
        q = jnp.concatenate([qa * cos - qb * sin, qb * cos + qa * sin], -1)
        ka, kb = jnp.split(k, 2, axis=-1)
        k = jnp.concatenate([ka * cos - kb * sin, kb * cos + ka * sin], -1)
        k = jnp.repeat(k, HEADS // GROUPS, axis=2)
        v = jnp.repeat(v, HEADS // GROUPS, axis=2)
        scores = jnp.einsum("bthd,bshd->bhts", q, k)
        scores = scores * SIZE**-0.5
        scores = 30.0 * jnp.tanh(scores / 30.0)
        offset = position[:, None] - position[None, :] + time - 1
        scores = scores + self.bias[...][:, offset]
        causal = position[:, None] >= position[None, :]
        scores = jnp.where(causal, scores, -1e9)
        weights = jax.nn.softmax(scores, axis=-1)
        mixed = jnp.einsum("bhts,bshd->bthd", weights, v)
        mixed = mixed.reshape(batch, time, WIDTH)
        return x + jnp.dot(mixed, self.out[...])


class TorchAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Parameter(0.3 * torch.randn(WIDTH, WIDTH))
        self.key = nn.Parameter(0.3 * torch.randn(WIDTH, GROUPS * SIZE))
        self.value = nn.Parameter(0.3 * torch.randn(WIDTH, GROUPS * SIZE))
        self.out = nn.Parameter(0.3 * torch.randn(WIDTH, WIDTH))
        self.bias = nn.Parameter(0.3 * torch.randn(HEADS, 2 * TIME - 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, time, _ = x.shape
        q = x @ self.query
        q = q.view(batch, time, HEADS, SIZE)
        k = (x @ self.key).view(batch, time, GROUPS, SIZE)
        v = (x @ self.value).view(batch, time, GROUPS, SIZE)
        position = torch.arange(time)
        rate = 1.0 / 10000.0 ** (torch.arange(0, SIZE, 2) / SIZE)
        angle = position[:, None, None] * rate
        sin, cos = angle.sin(), angle.cos()
        qa, qb = q.chunk(2, dim=-1)
        q = torch.cat([qa * cos - qb * sin, qb * cos + qa * sin], dim=-1)
        ka, kb = k.chunk(2, dim=-1)
        k = torch.cat([ka * cos - kb * sin, kb * cos + ka * sin], dim=-1)
        k = k.repeat_interleave(HEADS // GROUPS, dim=2)
        v = v.repeat_interleave(HEADS // GROUPS, dim=2)
        scores = torch.einsum("bthd,bshd->bhts", q, k)
        scores = scores / SIZE**0.5
        scores = 30.0 * torch.tanh(scores / 30.0)
        offset = position[:, None] - position[None, :] + time - 1
        scores = scores + self.bias[:, offset]
        causal = position[:, None] >= position[None, :]
        scores = scores.masked_fill(~causal, -1e9)
        weights = F.softmax(scores, dim=-1)
        mixed = torch.einsum("bhts,bshd->bthd", weights, v)
        mixed = mixed.flatten(2)
        return x + mixed @ self.out


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(1).standard_normal((BATCH, TIME, WIDTH)).astype(np.float32)
    return FlaxAttention(nnx.Rngs(0)), TorchAttention(), x
