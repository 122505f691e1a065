"""What a diffusion U-Net is made of, by hand."""

import numpy as np

from parity.reference.layers import Array, silu_backward, silu_forward
from parity.reference.modules import Conv, Dense, Module
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.attention import Attention
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.norms import GroupNorm


class Upsample(Composite):
    """Each pixel four times, and a 3×3 convolution; (B, H, W, C) to (B, 2H, 2W, C)."""

    def __init__(self, path: str, channels: int) -> None:
        self.conv = Conv(f"{path}.conv", channels, channels)
        super().__init__(path, self.conv)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Repeat the pixels and convolve; two calls."""
        large = inputs.repeat(2, axis=1).repeat(2, axis=2)
        return run.record(call_, inputs, call(self.conv, run, large), None)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward; a pixel gets what comes to its four copies."""
        gradients.outputs[call_] = cotangent
        to_large = back(self.conv, run, gradients, cotangent)
        batch, height, width, channels = to_large.shape
        return to_large.reshape(batch, height // 2, 2, width // 2, 2, channels).sum(axis=(2, 4))


class MapAttention(Composite):
    """x + attention(norm(x)), every pixel looking at all of its map, with one head."""

    def __init__(self, path: str, channels: int, groups: int) -> None:
        self.norm = GroupNorm(f"{path}.norm", channels, groups, 1e-6)
        self.attention = Attention(f"{path}.attention", channels, 1, causal=False)
        super().__init__(path, self.norm, self.attention)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run both parts on the pixels in a row."""
        pixels = call(self.norm, run, inputs).reshape(len(inputs), -1, inputs.shape[-1])
        return run.record(call_, inputs, inputs + call(self.attention, run, pixels).reshape(inputs.shape), None)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        pixels = cotangent.reshape(len(cotangent), -1, cotangent.shape[-1])
        to_norm = back(self.attention, run, gradients, pixels).reshape(cotangent.shape)
        return cotangent + back(self.norm, run, gradients, to_norm)


class TimedBlock(Composite):
    """A residual block that is told the step; it has two inputs, so it is run by `timed` and cannot be called alone.

    Args:
        path: the module's place in the network.
        in_channels, out_channels: channels of the input and of the output.
        condition: features of what tells the step.
        attention: whether the pixels look at each other afterwards.
        groups: number of groups of channels that are normalised together.
    """

    def __init__(
        self, path: str, in_channels: int, out_channels: int, *, condition: int, attention: bool, groups: int
    ) -> None:
        self.norm1 = GroupNorm(f"{path}.norm1", in_channels, groups, 1e-6)
        self.first = Conv(f"{path}.first", in_channels, out_channels)
        self.time = Dense(f"{path}.time", condition, out_channels)
        self.norm2 = GroupNorm(f"{path}.norm2", out_channels, groups, 1e-6)
        self.last = Conv(f"{path}.last", out_channels, out_channels)
        shortcut = Conv(f"{path}.shortcut", in_channels, out_channels, size=1, stride=1, padding=0)
        self.shortcut: list[Module] = [shortcut] * (in_channels != out_channels)
        self.attention = [MapAttention(f"{path}.attention", out_channels, groups)] * attention
        super().__init__(
            path, self.norm1, self.first, self.time, self.norm2, self.last, *self.shortcut, *self.attention
        )

    def timed(self, run: Run, inputs: Array, condition: Array) -> Array:
        """Run on inputs (B, H, W, in) at the condition (B, features); (B, H, W, out)."""
        middle, slope1 = silu_forward(call(self.norm1, run, inputs))
        signal, slope2 = silu_forward(condition)
        hidden = call(self.first, run, middle) + call(self.time, run, signal)[:, None, None, :]
        middle, slope3 = silu_forward(call(self.norm2, run, hidden))
        output = call(self.last, run, middle)
        output = output + (call(self.shortcut[0], run, inputs) if self.shortcut else inputs)
        for attention in self.attention:
            output = call(attention, run, output)
        return run.record(self.path, inputs, output, (slope1, slope2, slope3))

    def timed_back(self, run: Run, gradients: Gradients, cotangent: Array) -> tuple[Array, Array]:
        """Run the recorded calls backward; the gradients of the inputs and of the condition."""
        gradients.outputs[self.path] = cotangent
        slope1, slope2, slope3 = run.cache[self.path]
        for attention in self.attention:
            cotangent = back(attention, run, gradients, cotangent)
        to_inputs = back(self.shortcut[0], run, gradients, cotangent) if self.shortcut else cotangent
        to_hidden = back(self.norm2, run, gradients, silu_backward(back(self.last, run, gradients, cotangent), slope3))
        to_condition = silu_backward(back(self.time, run, gradients, to_hidden.sum(axis=(1, 2))), slope2)
        to_middle = silu_backward(back(self.first, run, gradients, to_hidden), slope1)
        return to_inputs + back(self.norm1, run, gradients, to_middle), to_condition


def joined(inputs: Array, skip: Array) -> Array:
    """Two maps of one size beside each other, along the channels."""
    return np.concatenate([inputs, skip], axis=-1)
