"""The residual network by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.reference.layers import Array, relu_backward, relu_forward
from parity.reference.modules import BatchNorm, Conv, Dense, MaxPool, Module
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import Composite, back, call


class ConvNorm(Composite):
    """A convolution without bias, padded so that only the stride makes the map smaller, and a batch normalisation."""

    def __init__(self, path: str, in_channels: int, out_channels: int, *, size: int, stride: int) -> None:
        conv = Conv(f"{path}.conv", in_channels, out_channels, size, stride, size // 2, has_bias=False)
        super().__init__(path, conv, BatchNorm(f"{path}.norm", out_channels))

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run both; three calls."""
        conv, norm = self.parts
        return run.record(call_, inputs, call(norm, run, call(conv, run, inputs)), None)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        conv, norm = self.parts
        return back(conv, run, gradients, back(norm, run, gradients, cotangent))


class Residual(Composite):
    """ReLU(shortcut + convolutions with ReLU between them).

    Args:
        path: the block's place in the network.
        in_channels: channels of the input.
        width: channels of the 3×3 convolutions.
        stride: step of the first 3×3 convolution.
        bottleneck: whether it is 1×1, 3×3 and 1×1 with four times as many channels at the end, not 3×3 twice.
    """

    def __init__(self, path: str, in_channels: int, width: int, *, stride: int, bottleneck: bool) -> None:
        self.out_channels = 4 * width if bottleneck else width
        plan = [(1, 1), (3, stride), (1, 1)] if bottleneck else [(3, stride), (3, 1)]
        channels = [in_channels, *[width] * (len(plan) - 1), self.out_channels]
        names = ("first", "second", "third")
        self.convs = [
            ConvNorm(f"{path}.{names[i]}", channels[i], channels[i + 1], size=size, stride=step)
            for i, (size, step) in enumerate(plan)
        ]
        changes = stride != 1 or in_channels != self.out_channels
        self.shortcuts = [ConvNorm(f"{path}.shortcut", in_channels, self.out_channels, size=1, stride=stride)] * changes
        super().__init__(path, *self.convs, *self.shortcuts)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run the convolutions, the shortcut and the ReLUs."""
        hidden, masks = inputs, []
        for i, conv in enumerate(self.convs):
            if i > 0:
                hidden, mask = relu_forward(hidden)
                masks.append(mask)
            hidden = call(conv, run, hidden)
        straight = call(self.shortcuts[0], run, inputs) if self.shortcuts else inputs
        output, mask = relu_forward(hidden + straight)
        return run.record(call_, inputs, output, [*masks, mask])

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        *masks, last = run.cache[call_]
        hidden = to_sum = relu_backward(cotangent, last)
        for conv, mask in zip(self.convs[::-1], [*masks[::-1], None], strict=True):
            hidden = back(conv, run, gradients, hidden)
            hidden = hidden if mask is None else relu_backward(hidden, mask)
        return hidden + (back(self.shortcuts[0], run, gradients, to_sum) if self.shortcuts else to_sum)


class ResNet(Network):
    """A stem, stages of residual blocks, the mean over the map, and a dense layer.

    Its arguments are those of `jaxnets.ResNet`, without `init` and `rngs`. Both forms of its blocks are `Residual`.

    Inputs are (B, H, W, in_channels); logits are (B, num_classes).
    """

    def __init__(
        self,
        *,
        depths: Sequence[int] = (2, 2, 2, 2),
        bottleneck: bool = False,
        stem: str = "imagenet",
        in_channels: int = 3,
        num_classes: int = 1000,
        width: int = 64,
    ) -> None:
        large = stem == "imagenet"
        self.stem = ConvNorm("stem", in_channels, width, size=7 if large else 3, stride=2 if large else 1)
        blocks: list[Module] = []
        channels = width
        for stage, depth in enumerate(depths):
            for place in range(depth):
                stride = 2 if stage > 0 and place == 0 else 1
                path, now = f"blocks.{len(blocks)}", width * 2**stage
                block = Residual(path, channels, now, stride=stride, bottleneck=bottleneck)
                channels = block.out_channels
                blocks.append(block)
        self.body = [MaxPool("pool")] * large + blocks
        self.head = Dense("head", channels, num_classes)
        super().__init__([self.stem, *self.body, self.head])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache is where the stem's ReLU lets through, and the shape of the last map."""
        hidden, mask = relu_forward(call(self.stem, run, inputs))
        for module in self.body:
            hidden = call(module, run, hidden)
        return call(self.head, run, hidden.mean(axis=(1, 2))), (mask, hidden.shape)

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; the mean gives each pixel an equal part."""
        mask, shape = run.cache[""]
        part = back(self.head, run, gradients, cotangent) / (shape[1] * shape[2])
        hidden = np.broadcast_to(part[:, None, None, :], shape)
        for module in reversed(self.body):
            hidden = back(module, run, gradients, hidden)
        return back(self.stem, run, gradients, relu_backward(hidden, mask))
