"""Layers and initialisers of the twins, with every default spelled."""

import torch
from torch import nn
from torch.nn import functional as F

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
            "orthogonal" is "default" but for what `recurrent` makes; a network without any is the same in both.
        fan_in: inputs that one output sees.
        generator: source of randomness; None is PyTorch's global one.

    Raises:
        ValueError: `init` is none of them.
    """
    shape = tuple(layer.weight.shape)
    if init in ("default", "orthogonal"):
        layer.weight = uniform(shape, fan_in**-0.5, generator)
        if layer.bias is not None:
            layer.bias = uniform((shape[0],), fan_in**-0.5, generator)
    elif init == "randn":
        layer.weight = nn.Parameter(0.1 * torch.randn(shape, generator=generator))
        if layer.bias is not None:
            layer.bias = nn.Parameter(torch.zeros(shape[0]))
    else:
        raise ValueError(f"init is {init!r}; expected 'default', 'randn' or 'orthogonal'")


def dense(in_features: int, out_features: int, *, bias: bool = True, init: str, generator: Generator) -> nn.Linear:
    """Affine map (…, in) → (…, out); weight (out, in)."""
    layer = nn.utils.skip_init(nn.Linear, in_features, out_features, bias=bias)
    initialize(layer, init, in_features, generator)
    return layer


def orthogonal(shape: tuple[int, int], generator: Generator) -> nn.Parameter:
    """Parameter (k·H, H) whose k blocks (H, H) are orthogonal matrices, each uniform among all of them.

    The QR decomposition of a normal matrix is uniform (Haar) once R's diagonal is made positive. Source: Saxe et al.,
    https://arxiv.org/abs/1312.6120; Mezzadri, https://arxiv.org/abs/math-ph/0609050. Differs from
    `torch.nn.init.orthogonal_`, which draws one matrix with orthonormal columns whatever its blocks are.
    """
    height, size = shape
    q, r = torch.linalg.qr(torch.randn((height // size, size, size), generator=generator))
    q = q * r.diagonal(dim1=1, dim2=2).sign()[:, None, :]
    return nn.Parameter(q.reshape(shape))


def recurrent(hidden_size: int, *, gates: int, init: str, generator: Generator) -> nn.Linear:
    """Affine map of a hidden state (B, H) → (B, gates·H); weight (gates·H, H).

    With init "orthogonal" the weight of each gate is a random orthogonal matrix and the bias is 0, so that the state
    keeps its norm where tanh is nearly linear.
    """
    layer = dense(hidden_size, gates * hidden_size, init=init, generator=generator)
    if init == "orthogonal":
        layer.weight = orthogonal((gates * hidden_size, hidden_size), generator)
        layer.bias = nn.Parameter(torch.zeros(gates * hidden_size))
    return layer


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


def conv3x3(in_channels: int, out_channels: int, *, init: str, generator: Generator) -> Conv3x3:
    """3×3 convolution, stride 1, padding 1, with bias; (B, in, H, W) → (B, out, H, W); weight (out, in, 3, 3)."""
    layer = nn.utils.skip_init(
        Conv3x3,
        in_channels,
        out_channels,
        kernel_size=(3, 3),
        stride=(1, 1),
        padding=(1, 1),
        bias=True,
    )
    initialize(layer, init, 9 * in_channels, generator)
    return layer
