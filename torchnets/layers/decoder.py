"""Decoders with rotary positions, grouped attention and gated feed-forward layers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.attention import Cache, attend, causal_mask
from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator
from torchnets.layers.norm import rms_norm
from torchnets.layers.pre_norm import PreNorm


def rotate(x: torch.Tensor, *, theta: float, start: int = 0) -> torch.Tensor:
    """Turn each head's features by angles that grow with the position.

    Feature i of the first half and feature i of the second are a point in the plane, which is turned by
    position · theta^(−2i/D).

    Args:
        x: (B, T, H, D), positions from `start` on.
        theta: base of the frequencies.
        start: position of the first.

    Differs from the paper and from Meta's code, which pair neighbouring features. Source:
    https://arxiv.org/abs/2104.09864; the halves are those of Hugging Face's Llama.
    """
    frequency = theta ** -(torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])
    angle = ((start + torch.arange(x.shape[1], device=x.device)).to(x.dtype)[:, None] * frequency)[:, None, :]
    first, second = x.chunk(2, dim=-1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class GroupedAttention(nn.Module):
    """Causal self-attention, (B, T, C) → (B, T, C), in which groups of queries share a key and a value; no biases.

    Args:
        width: features C.
        heads: number of heads H of the queries, which divides C.
        key_value_heads: number of heads of the keys and values, which divides H.
        theta: base of the rotary frequencies.
        init: name of the initial distribution.
        generator: source of the initial weights.

    Source: https://arxiv.org/abs/2305.13245.
    """

    def __init__(
        self, width: int, heads: int, key_value_heads: int, *, theta: float, init: str, generator: Generator
    ) -> None:
        super().__init__()
        size = width // heads
        self.size = size
        self.theta = theta
        self.query = dense(width, heads * size, bias=False, init=init, generator=generator)
        self.key = dense(width, key_value_heads * size, bias=False, init=init, generator=generator)
        self.value = dense(width, key_value_heads * size, bias=False, init=init, generator=generator)
        self.out = dense(heads * size, width, bias=False, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Let every position of x (B, T, C) look at itself and those before it."""
        query, key, value = self.turned(x, 0)
        return self.mix(query, key, value, causal_mask(x.shape[1], x.shape[1], device=x.device))

    def extend(self, x: torch.Tensor, cache: Cache, start: int) -> tuple[torch.Tensor, Cache]:
        """Run on the positions from `start` on, x (B, T, C), which look at those in the cache too."""
        query, key, value = self.turned(x, start)
        keys, values = (
            old.slice_scatter(part, dim=1, start=start, end=start + x.shape[1])
            for old, part in zip(cache, (key, value), strict=True)
        )
        mask = causal_mask(x.shape[1], keys.shape[1], start, device=x.device)
        return self.mix(query, keys, values, mask), (keys, values)

    def turned(self, x: torch.Tensor, start: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries, keys and values of x, (B, T, heads, D); the first two are turned."""
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return rotate(query, theta=self.theta, start=start), rotate(key, theta=self.theta, start=start), value

    def mix(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The output (B, T, C) for queries (B, T, H, D), and keys and values with fewer heads."""
        groups = query.shape[2] // key.shape[2]
        key, value = (x.repeat_interleave(groups, dim=2) for x in (key, value))
        return self.out(attend(query, key, value, mask).reshape(*query.shape[:2], -1))

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, heads · D) → (B, T, heads, D)."""
        return x.reshape(*x.shape[:2], -1, self.size)


class GatedFeedForward(nn.Module):
    """out(SiLU(gate(x)) · hidden(x)), (…, C) → (…, C), without biases.

    Source: https://arxiv.org/abs/2002.05202.
    """

    def __init__(self, width: int, hidden: int, *, init: str, generator: Generator) -> None:
        super().__init__()
        self.gate = dense(width, hidden, bias=False, init=init, generator=generator)
        self.hidden = dense(width, hidden, bias=False, init=init, generator=generator)
        self.out = dense(hidden, width, bias=False, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the three maps to x (…, C)."""
        return self.out(F.silu(self.gate(x)) * self.hidden(x))


class DecoderBlock(PreNorm):
    """x + attention(norm1(x)), then x + mlp(norm2(x)); (B, T, C) → (B, T, C).

    Args:
        width: features C.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        mlp: the feed-forward layer, (…, C) → (…, C).
        theta: base of the rotary frequencies.
        epsilon: number that the norms add to the mean square.
        init: name of the initial distribution.
        generator: source of the initial weights.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        key_value_heads: int,
        mlp: nn.Module,
        *,
        theta: float,
        epsilon: float,
        init: str,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.norm1 = rms_norm(width, epsilon=epsilon)
        self.attention = GroupedAttention(width, heads, key_value_heads, theta=theta, init=init, generator=generator)
        self.norm2 = rms_norm(width, epsilon=epsilon)
        self.mlp = mlp


class Decoder(nn.Module):
    """Tokens, decoder blocks, a norm, and a head of its own: what a network has that makes these four parts.

    Attributes:
        cached: heads of the keys and values, and the features of each.
        token, blocks, norm, head: the four parts.
    """

    cached: tuple[int, int]
    token: Any
    blocks: Any
    norm: Any
    head: Any

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (B, T, vocabulary) of what comes after each of the tokens (B, T), whole numbers."""
        x = self.token(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def cache(self, batch: int, length: int) -> list[Cache]:
        """An empty cache for each block, with room for texts of that length."""
        empty = self.token.weight.new_zeros((batch, length, *self.cached))
        return [(empty, empty) for _ in self.blocks]

    def extend(self, tokens: torch.Tensor, caches: Sequence[Cache], start: int) -> tuple[torch.Tensor, list[Cache]]:
        """Logits (B, T, vocabulary) of tokens (B, T) at the positions from `start` on, and the caches with them in."""
        x = self.token(tokens)
        extended = []
        for block, cache in zip(self.blocks, caches, strict=True):
            x, cache = block.extend(x, cache, start)
            extended.append(cache)
        return self.head(self.norm(x)), extended
