"""Reduced VGG with batch normalisation."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import Generator, conv3x3, dense

PLAN = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


class ConvBlock(nn.Module):
    """3×3 convolution with bias, batch normalisation, ReLU; (B, in, H, W) → (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, *, init: str, generator: Generator) -> None:
        super().__init__()
        self.conv = conv3x3(in_channels, out_channels, init=init, generator=generator)
        self.norm = nn.BatchNorm2d(out_channels, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block to x (B, in, H, W)."""
        return F.relu(self.norm(self.conv(x)))


class VGG(nn.Module):
    """Blocks and pools in the order of a plan, then one dense layer.

    Args:
        plan: a number is a `ConvBlock` with so many channels, "M" a 3×3 max-pool of stride 2 and padding 1.
        in_channels: channels of the image.
        num_classes: number of logits.
        image_size: height and width of the image; each pool halves it, rounding up.
        init: "default" (PyTorch's) or "randn" (0.1·N(0, 1) and zero biases).
        generator: source of the initial weights.

    Source: the study, part II.
    """

    def __init__(
        self,
        *,
        plan: Sequence[int | str] = PLAN,
        in_channels: int = 3,
        num_classes: int = 10,
        image_size: int = 32,
        init: str = "default",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.features = nn.ModuleList()
        channels, size = in_channels, image_size
        for entry in plan:
            if isinstance(entry, str):
                self.features.append(nn.MaxPool2d(3, stride=2, padding=1))
                size = (size + 1) // 2
            else:
                self.features.append(ConvBlock(channels, entry, init=init, generator=generator))
                channels = entry
        self.flatten = nn.Flatten(start_dim=1)
        self.classifier = dense(channels * size * size, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        for layer in self.features:
            x = layer(x)
        return self.classifier(self.flatten(x))
