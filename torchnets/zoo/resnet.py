"""Residual network."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import Generator, conv, dense


class ConvNorm(nn.Module):
    """Convolution without bias, padded so that only the stride makes the map smaller, and batch normalisation."""

    def __init__(
        self, in_channels: int, out_channels: int, *, size: int, stride: int, init: str, generator: Generator
    ) -> None:
        super().__init__()
        self.conv = conv(
            in_channels,
            out_channels,
            size=size,
            stride=stride,
            padding=size // 2,
            bias=False,
            init=init,
            generator=generator,
        )
        self.norm = nn.BatchNorm2d(out_channels, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply both, (B, in, H, W) → (B, out, H′, W′)."""
        return self.norm(self.conv(x))


class BasicBlock(nn.Module):
    """ReLU(x + second(ReLU(first(x)))), 3×3 each; the block of ResNet-18 and -34.

    Args:
        in_channels: channels of the input.
        width: channels of the output.
        stride: stride of `first` and of the shortcut, which is there where the shape changes.
        init: name of the initial distribution.
        generator: source of the initial weights.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, *, stride: int, init: str, generator: Generator) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, width, size=3, stride=stride, init=init, generator=generator)
        self.second = ConvNorm(width, width, size=3, stride=1, init=init, generator=generator)
        self.shortcut = shortcut(in_channels, width, stride=stride, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        y = self.second(F.relu(self.first(x)))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Bottleneck(nn.Module):
    """ReLU(x + third(ReLU(second(ReLU(first(x)))))), 1×1, 3×3, 1×1: the block of ResNet-50.

    It gives 4·width channels. The stride is in the 3×3 convolution, as in torchvision; the paper has it in the first.
    Arguments are as of `BasicBlock`.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, *, stride: int, init: str, generator: Generator) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, width, size=1, stride=1, init=init, generator=generator)
        self.second = ConvNorm(width, width, size=3, stride=stride, init=init, generator=generator)
        self.third = ConvNorm(width, 4 * width, size=1, stride=1, init=init, generator=generator)
        self.shortcut = shortcut(in_channels, 4 * width, stride=stride, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        y = self.third(F.relu(self.second(F.relu(self.first(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def shortcut(in_channels: int, out_channels: int, *, stride: int, init: str, generator: Generator) -> ConvNorm | None:
    """The 1×1 convolution of a shortcut, where the block changes the shape; None where it does not."""
    if stride == 1 and in_channels == out_channels:
        return None
    return ConvNorm(in_channels, out_channels, size=1, stride=stride, init=init, generator=generator)


class ResNet(nn.Module):
    """A stem, stages of residual blocks, the mean over the map, and a dense layer.

    The defaults are ResNet-18 for ImageNet, 11,689,512 parameters; `depths=(3, 4, 6, 3), bottleneck=True` are
    ResNet-50, 25,557,032.

    Args:
        depths: number of blocks of each stage; the first block of all stages but the first halves the map.
        bottleneck: whether the blocks are `Bottleneck`, not `BasicBlock`.
        stem: "imagenet" (7×7 of stride 2, then a max-pool of stride 2) or "cifar" (3×3 of stride 1).
        in_channels: channels of the image.
        num_classes: number of logits.
        width: channels of the stem and of the first stage's 3×3 convolutions; each later stage has twice as many.
        init: "he" (N(0, 2/fan_in) and zero biases), "default" (PyTorch's `Conv2d` and `Linear`) or "randn".
        generator: source of the initial weights.

    Raises:
        ValueError: there is no such stem.

    Differs from torchvision: He's initialisation takes fan_in, not fan_out, for the dense layer too. Source:
    https://arxiv.org/abs/1512.03385.
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
        init: str = "he",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        if stem not in ("imagenet", "cifar"):
            raise ValueError(f"stem is {stem!r}; expected 'imagenet' or 'cifar'")
        large = stem == "imagenet"
        self.stem = ConvNorm(
            in_channels, width, size=7 if large else 3, stride=2 if large else 1, init=init, generator=generator
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if large else None
        self.blocks = nn.ModuleList()
        block, channels = Bottleneck if bottleneck else BasicBlock, width
        for stage, depth in enumerate(depths):
            for place in range(depth):
                stride = 2 if stage > 0 and place == 0 else 1
                self.blocks.append(block(channels, width * 2**stage, stride=stride, init=init, generator=generator))
                channels = block.expansion * width * 2**stage
        self.head = dense(channels, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        x = F.relu(self.stem(x))
        x = x if self.pool is None else self.pool(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))
