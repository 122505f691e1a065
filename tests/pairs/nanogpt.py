"""A GPT as in Karpathy's nanoGPT against a port in Linen.

Public: the manner of nanoGPT's model.py: its own LayerNorm from raw parameters, one projection c_attn for query, key
and value, a head that is tied to the embedding of tokens. Habits of the port: setup() with own names, one DenseGeneral
into (3, heads, size), Embed.attend for the tied head, a parameter instead of an embedding for the positions.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn as tnn
from torch.nn import functional as F

SYMBOLS, LENGTH, WIDTH, HEADS, DEPTH = 31, 16, 32, 4, 2


class LayerNorm(tnn.Module):
    def __init__(self, ndim: int) -> None:
        super().__init__()
        self.weight = tnn.Parameter(torch.ones(ndim))
        self.bias = tnn.Parameter(torch.zeros(ndim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class CausalSelfAttention(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c_attn = tnn.Linear(WIDTH, 3 * WIDTH)
        self.c_proj = tnn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, t, c = x.shape
        q, k, v = (a.view(b, t, HEADS, c // HEADS).transpose(1, 2) for a in self.c_attn(x).split(WIDTH, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))


class Mlp(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c_fc = tnn.Linear(WIDTH, 4 * WIDTH)
        self.gelu = tnn.GELU()
        self.c_proj = tnn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c_proj(self.gelu(self.c_fc(x)))


class Block(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(WIDTH)
        self.attn = CausalSelfAttention()
        self.ln_2 = LayerNorm(WIDTH)
        self.mlp = Mlp()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        wte, lm_head = tnn.Embedding(SYMBOLS, WIDTH), tnn.Linear(WIDTH, SYMBOLS, bias=False)
        wte.weight = lm_head.weight
        self.transformer: Any = tnn.ModuleDict(
            {
                "wte": wte,
                "wpe": tnn.Embedding(LENGTH, WIDTH),
                "h": tnn.ModuleList(Block() for _ in range(DEPTH)),
                "ln_f": LayerNorm(WIDTH),
            }
        )
        self.lm_head = lm_head

    def forward(self, idx: torch.Tensor) -> torch.Tensor:
        pos = torch.arange(0, idx.size(1), dtype=torch.long)
        x = self.transformer.wte(idx) + self.transformer.wpe(pos)
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


class Layer(nn.Module):
    heads_first: bool

    def setup(self) -> None:
        size = WIDTH // HEADS
        self.norms = [nn.LayerNorm(epsilon=1e-5) for _ in range(2)]
        self.qkv = nn.DenseGeneral((HEADS, 3, size) if self.heads_first else (3, HEADS, size))
        self.merge = nn.DenseGeneral(WIDTH, axis=(-2, -1))
        self.up = nn.Dense(4 * WIDTH)
        self.down = nn.Dense(WIDTH)

    def attend(self, x: jax.Array) -> jax.Array:
        query, key, value = jnp.moveaxis(self.qkv(x), 3 if self.heads_first else 2, 0)
        causal = nn.make_causal_mask(x[..., 0])
        return self.merge(nn.dot_product_attention(query, key, value, mask=causal))

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.attend(self.norms[0](x))
        return x + self.down(nn.gelu(self.up(self.norms[1](x)), approximate=False))


class Port(nn.Module):
    heads_first: bool = False
    scaled: bool = False

    def setup(self) -> None:
        self.tokens = nn.Embed(SYMBOLS, WIDTH)
        self.positions = self.param("positions", nn.initializers.normal(0.02), (LENGTH, WIDTH))
        self.layers = [Layer(self.heads_first) for _ in range(DEPTH)]
        self.norm = nn.LayerNorm(epsilon=1e-5)

    def __call__(self, ids: jax.Array) -> jax.Array:
        x = self.tokens(ids)
        if self.scaled:
            x = x * WIDTH**0.5
        x = x + self.positions[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.tokens.attend(self.norm(x))


def nanogpt(heads_first: bool = False, scaled: bool = False) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair. `scaled` embeddings, as in the first Transformer, are wrong; `heads_first` is wrong for weights as they
    are, and right for ones that are reordered."""
    ids = np.random.default_rng(9).integers(0, SYMBOLS, (2, 12))
    port = Port(heads_first, scaled)
    return (port, port.init(jax.random.key(0), ids)), Gpt(), ids, {}
