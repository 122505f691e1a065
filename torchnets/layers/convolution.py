"""The 3×3 convolution, with every default spelled, and a faster way to compute it on the CPU."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.initial import Generator, initialize


class Conv3x3(nn.Conv2d):
    """`torch.nn.Conv2d` with a 3×3 kernel, stride 1 and padding 1, which on maps of 2×2 or less is one matrix product.

    On such maps the convolution's gradients are slow on the CPU: 512 → 512 channels, batch 32, float32, on 2 cores took
    6 ms forward and 64 ms for forward and backward; the product over patches took 7 and 23 ms.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve x (B, in, H, W)."""
        height, width = x.shape[-2:]
        if height * width > 4 or x.device.type != "cpu":
            return super().forward(x)
        padded = F.pad(x.movedim(-3, -1), (0, 0, 1, 1, 1, 1))
        patches = [padded[..., i : i + height, j : j + width, :] for i in range(3) for j in range(3)]
        kernel = self.weight.movedim(1, -1).flatten(1)
        return F.linear(torch.cat(patches, -1), kernel, self.bias).movedim(-1, -3)


def conv3x3(in_channels: int, out_channels: int, *, init: str, generator: Generator) -> nn.Conv2d:
    """3×3 convolution, stride 1, padding 1, with bias; (B, in, H, W) → (B, out, H, W); weight (out, in, 3, 3)."""
    return conv(in_channels, out_channels, size=3, stride=1, padding=1, bias=True, init=init, generator=generator)


def conv(
    in_channels: int,
    out_channels: int,
    *,
    size: int,
    stride: int,
    padding: int,
    bias: bool,
    init: str,
    generator: Generator,
) -> nn.Conv2d:
    """Convolution of square windows; (B, in, H, W) → (B, out, H′, W′); weight (out, in, size, size).

    Args:
        in_channels, out_channels: channels of the input and of the output.
        size: height and width of the windows.
        stride: step of the windows along both axes.
        padding: zeros on each of the four sides. Differs from "SAME", which for a stride of 2 pads one side more.
        bias: whether a bias is added.
        init: name of the initial distribution, see `initialize`.
        generator: source of the initial weights.
    """
    layer = nn.utils.skip_init(
        Conv3x3 if (size, stride, padding) == (3, 1, 1) else nn.Conv2d,
        in_channels,
        out_channels,
        kernel_size=(size, size),
        stride=(stride, stride),
        padding=(padding, padding),
        bias=bias,
    )
    initialize(layer, init, size * size * in_channels, generator)
    return layer


def conv_transpose(
    in_channels: int, out_channels: int, *, size: int, stride: int, padding: int, init: str, generator: Generator
) -> nn.ConvTranspose2d:
    """Transposed convolution of square windows; (B, in, H, W) → (B, out, H′, W′); weight (in, out, size, size).

    It is the gradient of a convolution of that stride and padding: H′ = (H − 1)·stride − 2·padding + size.

    Args:
        in_channels, out_channels: channels of the input and of the output.
        size: height and width of the windows.
        stride: step of the windows along both axes.
        padding: zeros that the convolution has on each of the four sides.
        init: name of the initial distribution, see `initialize`.
        generator: source of the initial weights.
    """
    layer = nn.utils.skip_init(
        nn.ConvTranspose2d,
        in_channels,
        out_channels,
        kernel_size=(size, size),
        stride=(stride, stride),
        padding=(padding, padding),
        output_padding=(0, 0),
        bias=True,
    )
    initialize(layer, init, size * size * out_channels, generator)
    return layer
