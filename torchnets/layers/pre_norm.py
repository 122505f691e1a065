"""What the blocks of transformers have in common: their norms come first."""

from typing import Any

import torch
from torch import nn

from torchnets.layers.attention import Cache


class PreNorm(nn.Module):
    """x + attention(norm1(x)), then x + mlp(norm2(x)); (B, T, C) → (B, T, C), of the four layers that a block makes."""

    norm1: Any
    attention: Any
    norm2: Any
    mlp: Any

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block to x (B, T, C)."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def extend(self, x: torch.Tensor, cache: Cache, start: int) -> tuple[torch.Tensor, Cache]:
        """Apply the block to the positions from `start` on; see the attention's `extend`."""
        mixed, cache = self.attention.extend(self.norm1(x), cache, start)
        x = x + mixed
        return x + self.mlp(self.norm2(x)), cache
