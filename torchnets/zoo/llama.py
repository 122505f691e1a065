"""Llama."""

from collections.abc import Sequence

import torch
from torch import nn

from torchnets.layers import Cache, DecoderBlock, Generator, dense, embedding, rms_norm


class Llama(nn.Module):
    """Decoder-only transformer with rotary positions, grouped attention, gated feed-forward layers and RMSNorm.

    The defaults are Llama 3 8B, 8,030,261,248 parameters.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features C of a position.
        depth: number of blocks.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        hidden: features inside each feed-forward layer.
        theta: base of the rotary frequencies.
        init: "normal" (N(0, 0.02²)), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        generator: source of the initial weights.

    Differs from Meta's code, whose rotary embedding pairs neighbouring features: here the halves are paired, as Hugging
    Face's Llama does. Source: https://arxiv.org/abs/2407.21783.
    """

    def __init__(
        self,
        *,
        vocab_size: int = 128256,
        width: int = 4096,
        depth: int = 32,
        heads: int = 32,
        key_value_heads: int = 8,
        hidden: int = 14336,
        theta: float = 500000.0,
        init: str = "normal",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.cached = (key_value_heads, width // heads)
        self.token = embedding(vocab_size, width, init=init, generator=generator)
        self.blocks = nn.ModuleList(
            DecoderBlock(
                width, heads, key_value_heads, hidden, theta=theta, epsilon=1e-5, init=init, generator=generator
            )
            for _ in range(depth)
        )
        self.norm = rms_norm(width, epsilon=1e-5)
        self.head = dense(width, vocab_size, bias=False, init=init, generator=generator)

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
            x, cache = block.extend(x, cache, start)  # type: ignore[operator] # a module list forgets its class
            extended.append(cache)
        return self.head(self.norm(x)), extended
