"""The diffusion U-Net by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.reference.layers import Array, mean_squared_error, silu_backward, silu_forward
from parity.reference.modules import Conv, Dense, Module
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.diffusion.blocks import TimedBlock, Upsample, joined
from parity.reference.zoo.diffusion.timestep import timestep_embedding
from parity.reference.zoo.layers.composite import back, call
from parity.reference.zoo.layers.norms import GroupNorm


class UNet(Network):
    """Levels of residual blocks downwards and upwards, with bridges from the way down to the way up.

    Its arguments are those of `jaxnets.UNet`, without `init` and `rngs`.

    Inputs are images (B, H, W, in_channels) and steps (B,); the output is (B, H, W, out_channels).
    """

    loss = staticmethod(mean_squared_error)  # type: ignore[assignment] # of numbers, not of classes

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
    ) -> None:
        self.width = width
        self.time1, self.time2 = Dense("time1", width, 4 * width), Dense("time2", 4 * width, 4 * width)
        self.stem = Conv("stem", in_channels, width)
        common: dict[str, Any] = {"condition": 4 * width, "groups": groups}
        self.down: list[Module] = []
        channels, skips = width, [width]
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                path, look = f"down.{len(self.down)}", level in attention
                self.down.append(TimedBlock(path, channels, multiplier * width, attention=look, **common))
                channels = multiplier * width
                skips.append(channels)
            if level < len(multipliers) - 1:
                self.down.append(Conv(f"down.{len(self.down)}", channels, channels, stride=2))
                skips.append(channels)
        self.middle = [
            TimedBlock(f"middle.{i}", channels, channels, attention=look, **common)
            for i, look in enumerate((True, False))
        ]
        self.up: list[Module] = []
        for level, multiplier in reversed([*enumerate(multipliers)]):
            for _ in range(blocks + 1):
                path, look = f"up.{len(self.up)}", level in attention
                self.up.append(TimedBlock(path, channels + skips.pop(), multiplier * width, attention=look, **common))
                channels = multiplier * width
            if level > 0:
                self.up.append(Upsample(f"up.{len(self.up)}", channels))
        self.norm, self.head = GroupNorm("norm", channels, groups, 1e-6), Conv("head", channels, out_channels)
        modules = [self.time1, self.time2, self.stem, *self.down, *self.middle, *self.up, self.norm, self.head]
        super().__init__(modules)

    def compute(self, run: Run, inputs: Any) -> tuple[Array, Any]:
        """Run forward; the cache is the slopes of two SiLUs, and the channels of the way up before each bridge."""
        image, steps = inputs
        waves = timestep_embedding(steps, self.width, cosine_first=False, shift=1)
        middle, slope = silu_forward(call(self.time1, run, waves))
        condition = call(self.time2, run, middle)
        hidden = call(self.stem, run, image)
        skips, channels = [hidden], []
        for module in self.down:
            timed = isinstance(module, TimedBlock)
            hidden = module.timed(run, hidden, condition) if timed else call(module, run, hidden)  # type: ignore[attr-defined] # `timed` says so
            skips.append(hidden)
        for block in self.middle:
            hidden = block.timed(run, hidden, condition)
        for module in self.up:
            if isinstance(module, TimedBlock):
                channels.append(hidden.shape[-1])
                hidden = module.timed(run, joined(hidden, skips.pop()), condition)
            else:
                hidden = call(module, run, hidden)
        ended, last = silu_forward(call(self.norm, run, hidden))
        return call(self.head, run, ended), (slope, last, channels)

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; what comes to a bridge waits until the way down gets to its other end."""
        slope, last, channels = run.cache[""]
        ended = silu_backward(back(self.head, run, gradients, cotangent), last)
        to_hidden = back(self.norm, run, gradients, ended)
        to_condition: Any = 0.0
        bridges: list[Array] = []
        widths = list(channels)
        for module in reversed([*self.middle, *self.up]):
            if not isinstance(module, TimedBlock):
                to_hidden = back(module, run, gradients, to_hidden)
                continue
            to_hidden, share = module.timed_back(run, gradients, to_hidden)
            to_condition = to_condition + share
            if module not in self.middle:
                to_hidden, bridge = np.split(to_hidden, [widths.pop()], axis=-1)
                bridges.append(bridge)
        for module in reversed(self.down):
            to_hidden = to_hidden + bridges.pop()
            if isinstance(module, TimedBlock):
                to_hidden, share = module.timed_back(run, gradients, to_hidden)
                to_condition = to_condition + share
            else:
                to_hidden = back(module, run, gradients, to_hidden)
        to_middle = silu_backward(back(self.time2, run, gradients, to_condition), slope)
        back(self.time1, run, gradients, to_middle)
        return back(self.stem, run, gradients, to_hidden + bridges.pop())
