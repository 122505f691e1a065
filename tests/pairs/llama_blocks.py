"""A small Llama (RMSNorm, rotary positions, grouped queries, gated MLP) against a port in NNX.

Public: `torch.nn.RMSNorm` and the structure of Llama's blocks with the names of its checkpoints. Habits of the port:
LinearGeneral into heads, an einsum over groups of queries instead of repeated keys, a list of blocks, positions handed
down from the network, rotary by complex numbers' real and imaginary halves.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn as tnn
from torch.nn import functional as F

SYMBOLS, WIDTH, HEADS, GROUPS, SIZE, HIDDEN, DEPTH = 23, 32, 4, 2, 8, 48, 2
BASE, EPSILON = 10000.0, 1e-6


def rotary(x: torch.Tensor) -> torch.Tensor:
    """Of (batch, heads, length, size), by halves."""
    frequencies = BASE ** (-torch.arange(0, SIZE, 2, dtype=x.dtype) / SIZE)
    angles = torch.outer(torch.arange(x.shape[2], dtype=x.dtype), frequencies)
    angles = torch.cat((angles, angles), dim=-1)
    turned = torch.cat((-x[..., SIZE // 2 :], x[..., : SIZE // 2]), dim=-1)
    return x * angles.cos() + turned * angles.sin()


class LlamaAttention(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = tnn.Linear(WIDTH, HEADS * SIZE, bias=False)
        self.k_proj = tnn.Linear(WIDTH, GROUPS * SIZE, bias=False)
        self.v_proj = tnn.Linear(WIDTH, GROUPS * SIZE, bias=False)
        self.o_proj = tnn.Linear(HEADS * SIZE, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x.shape
        q, k, v = (p(x).view(batch, length, -1, SIZE).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        k, v = (t.repeat_interleave(HEADS // GROUPS, dim=1) for t in (rotary(k), v))
        y = F.scaled_dot_product_attention(rotary(q), k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, -1))


class LlamaMlp(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate_proj = tnn.Linear(WIDTH, HIDDEN, bias=False)
        self.up_proj = tnn.Linear(WIDTH, HIDDEN, bias=False)
        self.down_proj = tnn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = LlamaAttention()
        self.mlp = LlamaMlp()
        self.input_layernorm = tnn.RMSNorm(WIDTH, eps=EPSILON)
        self.post_attention_layernorm = tnn.RMSNorm(WIDTH, eps=EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = tnn.Embedding(SYMBOLS, WIDTH)
        self.layers = tnn.ModuleList(LlamaLayer() for _ in range(DEPTH))
        self.norm = tnn.RMSNorm(WIDTH, eps=EPSILON)
        self.lm_head = tnn.Linear(WIDTH, SYMBOLS, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))


def rope(x: jax.Array, positions: jax.Array, interleaved: bool) -> jax.Array:
    """Of (batch, length, ..., size): the halves, or the even and odd places, are the real and imaginary parts."""
    angles = positions[:, None] * BASE ** (-jnp.arange(0, SIZE, 2, dtype=x.dtype) / SIZE)
    angles = jnp.expand_dims(angles, range(1, x.ndim - 2))
    real, imaginary = (x[..., ::2], x[..., 1::2]) if interleaved else jnp.split(x, 2, axis=-1)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    parts = real * cos - imaginary * sin, imaginary * cos + real * sin
    return jnp.stack(parts, -1).reshape(x.shape) if interleaved else jnp.concatenate(parts, -1)


class GroupedAttention(nnx.Module):
    def __init__(self, tile: bool, interleaved: bool, rngs: nnx.Rngs) -> None:
        self.tile, self.interleaved = tile, interleaved
        self.to_query = nnx.LinearGeneral(WIDTH, (HEADS, SIZE), use_bias=False, rngs=rngs)
        self.to_key = nnx.LinearGeneral(WIDTH, (GROUPS, SIZE), use_bias=False, rngs=rngs)
        self.to_value = nnx.LinearGeneral(WIDTH, (GROUPS, SIZE), use_bias=False, rngs=rngs)
        self.mix = nnx.LinearGeneral((HEADS, SIZE), WIDTH, axis=(-2, -1), use_bias=False, rngs=rngs)

    def __call__(self, x: jax.Array, positions: jax.Array) -> jax.Array:
        query = rope(self.to_query(x), positions, self.interleaved)
        key, value = rope(self.to_key(x), positions, self.interleaved), self.to_value(x)
        batch, length = x.shape[:2]
        if self.tile:  # the queries of a group are every other head
            query = query.reshape(batch, length, -1, GROUPS, SIZE).swapaxes(2, 3)
        else:
            query = query.reshape(batch, length, GROUPS, -1, SIZE)
        scores = jnp.einsum("bqgrd,bkgd->bgrqk", query, key) * SIZE**-0.5
        weights = nnx.softmax(jnp.where(positions[:, None] >= positions, scores, -jnp.inf))
        mixed = jnp.einsum("bgrqk,bkgd->bqgrd", weights, value)
        mixed = mixed.swapaxes(2, 3) if self.tile else mixed
        return self.mix(mixed.reshape(batch, length, HEADS, SIZE))


class DecoderBlock(nnx.Module):
    def __init__(self, tile: bool, interleaved: bool, rngs: nnx.Rngs) -> None:
        self.norm_in = nnx.RMSNorm(WIDTH, epsilon=EPSILON, rngs=rngs)
        self.attention = GroupedAttention(tile, interleaved, rngs)
        self.norm_out = nnx.RMSNorm(WIDTH, epsilon=EPSILON, rngs=rngs)
        self.w1 = nnx.Linear(WIDTH, HIDDEN, use_bias=False, rngs=rngs)
        self.w2 = nnx.Linear(HIDDEN, WIDTH, use_bias=False, rngs=rngs)
        self.w3 = nnx.Linear(WIDTH, HIDDEN, use_bias=False, rngs=rngs)

    def __call__(self, x: jax.Array, positions: jax.Array) -> jax.Array:
        x = x + self.attention(self.norm_in(x), positions)
        y = self.norm_out(x)
        return x + self.w2(nnx.swish(self.w1(y)) * self.w3(y))


class Decoder(nnx.Module):
    def __init__(self, tile: bool, interleaved: bool, rngs: nnx.Rngs) -> None:
        self.vocabulary = nnx.Embed(SYMBOLS, WIDTH, rngs=rngs)
        self.blocks = nnx.List(DecoderBlock(tile, interleaved, rngs) for _ in range(DEPTH))
        self.last = nnx.RMSNorm(WIDTH, epsilon=EPSILON, rngs=rngs)
        self.output = nnx.Linear(WIDTH, SYMBOLS, use_bias=False, rngs=rngs)

    def __call__(self, ids: jax.Array) -> jax.Array:
        x, positions = self.vocabulary(ids), jnp.arange(ids.shape[1])
        for block in self.blocks:
            x = block(x, positions)
        return self.output(self.last(x))


def llama_blocks(tile: bool = False, interleaved: bool = False) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair. Keys and values that are tiled instead of repeated, and rotary positions on even and odd places
    instead of halves, are wrong for weights as they are."""
    ids = np.random.default_rng(13).integers(0, SYMBOLS, (2, 9))
    return Decoder(tile, interleaved, nnx.Rngs(0)), Llama(), ids, {}
