"""The block of a transformer whose norms come first."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.attention import Attention
from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator
from torchnets.layers.norm import layer_norm
from torchnets.layers.pre_norm import PreNorm


class FeedForward(nn.Module):
    """out(GELU(hidden(x))), (…, C) → (…, C).

    Args:
        width: features C.
        hidden: features between the two maps.
        approximate: whether GELU is its approximation by tanh, and not x·Φ(x).
        init: name of the initial distribution.
        generator: source of the initial weights.
    """

    def __init__(self, width: int, hidden: int, *, approximate: bool, init: str, generator: Generator) -> None:
        super().__init__()
        self.approximate = approximate
        self.hidden = dense(width, hidden, init=init, generator=generator)
        self.out = dense(hidden, width, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply both maps to x (…, C)."""
        return self.out(F.gelu(self.hidden(x), approximate="tanh" if self.approximate else "none"))


class Block(PreNorm):
    """x + attention(norm1(x)), then x + mlp(norm2(x)); (B, T, C) → (B, T, C).

    Args:
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        causal: whether a position looks at itself and those before it only.
        epsilon: number that the norms add to the variance.
        approximate: whether GELU is its approximation by tanh.
        init: name of the initial distribution.
        generator: source of the initial weights.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        *,
        causal: bool,
        epsilon: float,
        approximate: bool,
        init: str,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.norm1 = layer_norm(width, epsilon=epsilon)
        self.attention = Attention(width, heads, causal=causal, init=init, generator=generator)
        self.norm2 = layer_norm(width, epsilon=epsilon)
        self.mlp = FeedForward(width, hidden, approximate=approximate, init=init, generator=generator)
