"""What a diffusion U-Net is made of: residual blocks that are told the step, attention over a map, and upsampling."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.attention import Attention
from torchnets.layers.convolution import conv, conv3x3
from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator, ending
from torchnets.layers.norm import group_norm


class Upsample(nn.Module):
    """Each pixel four times, and a 3×3 convolution; (B, C, H, W) → (B, C, 2H, 2W)."""

    def __init__(self, channels: int, *, init: str, generator: Generator) -> None:
        super().__init__()
        self.conv = conv3x3(channels, channels, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Enlarge x (B, C, H, W)."""
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class MapAttention(nn.Module):
    """x + attention(norm(x)), every pixel looking at all of its map, with one head; (B, C, H, W) → (B, C, H, W)."""

    def __init__(self, channels: int, *, groups: int, init: str, generator: Generator) -> None:
        super().__init__()
        self.norm = group_norm(channels, groups=groups, epsilon=1e-6)
        self.attention = Attention(channels, 1, causal=False, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix the pixels of x (B, C, H, W)."""
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attention(pixels).transpose(1, 2).reshape(x.shape)


class TimedBlock(nn.Module):
    """shortcut(x) + last(SiLU(norm2(first(SiLU(norm1(x))) + time(SiLU(c))))), and attention after it where wanted.

    Args:
        in_channels, out_channels: channels of the input and of the output; the shortcut is a 1×1 convolution where
            they differ.
        condition: features of c, which tells the step.
        attention: whether the pixels look at each other afterwards.
        groups: number of groups of channels that are normalised together.
        init: name of the initial distribution.
        generator: source of the initial weights.

    Source: https://arxiv.org/abs/2006.11239 and https://github.com/hojonathanho/diffusion.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        condition: int,
        attention: bool,
        groups: int,
        init: str,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.norm1 = group_norm(in_channels, groups=groups, epsilon=1e-6)
        self.first = conv3x3(in_channels, out_channels, init=init, generator=generator)
        self.time = dense(condition, out_channels, init=init, generator=generator)
        self.norm2 = group_norm(out_channels, groups=groups, epsilon=1e-6)
        self.last = conv3x3(out_channels, out_channels, init=ending(init), generator=generator)
        self.shortcut = (
            conv(in_channels, out_channels, size=1, stride=1, padding=0, bias=True, init=init, generator=generator)
            if in_channels != out_channels
            else None
        )
        self.attention = (
            MapAttention(out_channels, groups=groups, init=init, generator=generator) if attention else None
        )

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Apply the block to x (B, in, H, W) at the condition (B, features); (B, out, H, W)."""
        y = self.first(F.silu(self.norm1(x))) + self.time(F.silu(condition))[:, :, None, None]
        y = self.last(F.silu(self.norm2(y)))
        y = y + (x if self.shortcut is None else self.shortcut(x))
        return y if self.attention is None else self.attention(y)
