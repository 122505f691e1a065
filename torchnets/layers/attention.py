"""Attention by dot products."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator

Cache = tuple[torch.Tensor, torch.Tensor]
"""Keys and values of the positions so far, (B, S, H, D) each, with room for those to come."""


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """softmax(Q·Kᵀ/√D)·V, head by head.

    Args:
        query: (B, T, H, D).
        key, value: (B, S, H, D).
        mask: truth values (T, S), or (B, 1, T or 1, S), which of the S each of the T may look at; None hides nothing.

    Returns:
        (B, T, H, D). Differs from `scaled_dot_product_attention` in the order of the axes, which is Flax's.
    """
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    out = F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=0.0, is_causal=False, scale=query.shape[-1] ** -0.5
    )
    return out.transpose(1, 2)


def causal_mask(length: int, total: int, start: int = 0, *, device: torch.device) -> torch.Tensor:
    """Truth values (length, total): position start + i may look at those up to itself."""
    return torch.arange(total, device=device) <= start + torch.arange(length, device=device)[:, None]


class Attention(nn.Module):
    """Multi-head self-attention, (B, T, C) → (B, T, C), with biases.

    Args:
        width: features C.
        heads: number of heads H, which divides C; each has C/H features.
        causal: whether a position looks at itself and those before it only.
        init: name of the initial distribution.
        generator: source of the initial weights.

    Differs from `torch.nn.MultiheadAttention`: queries, keys and values have a weight each, not a packed one. Source:
    https://arxiv.org/abs/1706.03762.
    """

    def __init__(self, width: int, heads: int, *, causal: bool, init: str, generator: Generator) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.query = dense(width, width, init=init, generator=generator)
        self.key = dense(width, width, init=init, generator=generator)
        self.value = dense(width, width, init=init, generator=generator)
        self.out = dense(width, width, init=init, generator=generator)

    def forward(self, x: torch.Tensor, there: torch.Tensor | None = None) -> torch.Tensor:
        """Let every position of x (B, T, C) look at the others, of which `there` (B, T) are; None is all of them."""
        mask = causal_mask(x.shape[1], x.shape[1], device=x.device) if self.causal else None
        if there is not None:
            mask = there[:, None, None, :] if mask is None else mask & there[:, None, None, :]
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.out(attend(query, key, value, mask).reshape(x.shape))

    def extend(self, x: torch.Tensor, cache: Cache, start: int) -> tuple[torch.Tensor, Cache]:
        """Run on the positions from `start` on, x (B, T, C), which look at those in the cache too; causal.

        Returns:
            the output (B, T, C), and the cache with the keys and values of x in it.
        """
        new = self.split(self.key(x)), self.split(self.value(x))
        key, value = (
            old.slice_scatter(part, dim=1, start=start, end=start + x.shape[1])
            for old, part in zip(cache, new, strict=True)
        )
        mask = causal_mask(x.shape[1], key.shape[1], start, device=x.device)
        return self.out(attend(self.split(self.query(x)), key, value, mask).reshape(x.shape)), (key, value)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) → (B, T, H, C/H)."""
        return x.reshape(*x.shape[:2], self.heads, -1)
