"""Layers and initialisers of the twins, with every default spelled."""

import torch
from torch import nn

Generator = torch.Generator | None


def uniform(shape: tuple[int, ...], bound: float, generator: Generator) -> nn.Parameter:
    """Parameter drawn from U(−bound, bound)."""
    return nn.Parameter((2 * torch.rand(shape, generator=generator) - 1) * bound)


def initialize(layer: nn.Linear | nn.Conv2d, init: str, fan_in: int, generator: Generator) -> None:
    """Draw the weight and bias of a dense or convolutional layer.

    Args:
        layer: its parameters are replaced.
        init: "default" draws weight and bias from U(−1/√fan_in, 1/√fan_in), as `torch.nn.Linear` and `Conv2d` do.
            "randn" draws the weight from N(0, 0.1²) and sets the bias to 0, as the study's NumPy network does.
        fan_in: inputs that one output sees.
        generator: source of randomness; None is PyTorch's global one.

    Raises:
        ValueError: `init` is neither.
    """
    shape = tuple(layer.weight.shape)
    if init == "default":
        layer.weight = uniform(shape, fan_in**-0.5, generator)
        if layer.bias is not None:
            layer.bias = uniform((shape[0],), fan_in**-0.5, generator)
    elif init == "randn":
        layer.weight = nn.Parameter(0.1 * torch.randn(shape, generator=generator))
        if layer.bias is not None:
            layer.bias = nn.Parameter(torch.zeros(shape[0]))
    else:
        raise ValueError(f"init is {init!r}; expected 'default' or 'randn'")


def dense(in_features: int, out_features: int, *, bias: bool = True, init: str, generator: Generator) -> nn.Linear:
    """Affine map (…, in) → (…, out); weight (out, in)."""
    layer = nn.utils.skip_init(nn.Linear, in_features, out_features, bias=bias)
    initialize(layer, init, in_features, generator)
    return layer


def conv3x3(in_channels: int, out_channels: int, *, init: str, generator: Generator) -> nn.Conv2d:
    """3×3 convolution, stride 1, padding 1, with bias; (B, in, H, W) → (B, out, H, W); weight (out, in, 3, 3)."""
    layer = nn.utils.skip_init(
        nn.Conv2d,
        in_channels,
        out_channels,
        kernel_size=(3, 3),
        stride=(1, 1),
        padding=(1, 1),
        bias=True,
    )
    initialize(layer, init, 9 * in_channels, generator)
    return layer
