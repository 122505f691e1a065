"""U-Net that predicts the noise in an image."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import (
    Generator,
    TimedBlock,
    Upsample,
    conv,
    conv3x3,
    dense,
    ending,
    group_norm,
    timestep_embedding,
)
from torchnets.losses import mean_squared_error


class UNet(nn.Module):
    """Noise in an image of a diffusion, from the image and the number of the step; the same size comes out as goes in.

    Levels of residual blocks, each with a map of half the side, and the same upwards again, where each block also gets
    what one on the way down gave. The defaults are DDPM's network for CIFAR-10, 35,746,307 parameters.

    Args:
        in_channels, out_channels: channels of the image, and of the noise.
        width: channels C of the first level, which `groups` divides.
        multipliers: channels of each level, in units of C.
        blocks: residual blocks of a level on the way down; there is one more on the way up.
        attention: levels, counted from 0, whose pixels look at each other.
        groups: number of groups of channels that are normalised together.
        init: "xavier" (U(±√(6/(fan_in + fan_out))), zero biases, and zeros in `last` and `head`), "default" or "randn".
        generator: source of the initial weights.

    Differs from DDPM's code: a map is halved with one row of zeros on each side, where TensorFlow's SAME has one at the
    end only; no dropout; the map out of attention is not 0 at first. Source: https://arxiv.org/abs/2006.11239 and
    https://github.com/hojonathanho/diffusion.
    """

    loss = staticmethod(mean_squared_error)

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        blocks: int = 2,
        attention: Sequence[int] = (1,),
        groups: int = 32,
        init: str = "xavier",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.width = width
        self.time1 = dense(width, 4 * width, init=init, generator=generator)
        self.time2 = dense(4 * width, 4 * width, init=init, generator=generator)
        self.stem = conv3x3(in_channels, width, init=init, generator=generator)
        common: dict[str, Any] = {"condition": 4 * width, "groups": groups, "init": init, "generator": generator}
        self.down = nn.ModuleList()
        channels, skips = width, [width]
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                self.down.append(TimedBlock(channels, multiplier * width, attention=level in attention, **common))
                channels = multiplier * width
                skips.append(channels)
            if level < len(multipliers) - 1:
                self.down.append(
                    conv(channels, channels, size=3, stride=2, padding=1, bias=True, init=init, generator=generator)
                )
                skips.append(channels)
        self.middle = nn.ModuleList(TimedBlock(channels, channels, attention=look, **common) for look in (True, False))
        self.up = nn.ModuleList()
        for level, multiplier in reversed([*enumerate(multipliers)]):
            for _ in range(blocks + 1):
                look = level in attention
                self.up.append(TimedBlock(channels + skips.pop(), multiplier * width, attention=look, **common))
                channels = multiplier * width
            if level > 0:
                self.up.append(Upsample(channels, init=init, generator=generator))
        self.norm = group_norm(channels, groups=groups, epsilon=1e-6)
        self.head = conv3x3(channels, out_channels, init=ending(init), generator=generator)

    def forward(self, x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """Noise (B, out, H, W) in images x (B, in, H, W) at the steps (B,), whole numbers."""
        condition = self.condition(steps.to(x.dtype))
        x = self.stem(x)
        skips = [x]
        for layer in self.down:
            x = layer(x, condition) if isinstance(layer, TimedBlock) else layer(x)
            skips.append(x)
        for block in self.middle:
            x = block(x, condition)
        for layer in self.up:
            x = torch.cat([x, skips.pop()], dim=1) if isinstance(layer, TimedBlock) else x
            x = layer(x, condition) if isinstance(layer, TimedBlock) else layer(x)
        return self.head(F.silu(self.norm(x)))

    def condition(self, steps: torch.Tensor) -> torch.Tensor:
        """What the blocks are told of the steps (B,), (B, 4C)."""
        waves = timestep_embedding(steps, self.width, cosine_first=False, shift=1)
        return self.time2(F.silu(self.time1(waves)))
