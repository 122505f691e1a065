"""A convolutional autoencoder with DCGAN's transposed convolutions and GroupNorm against a port in NNX.

Public: PyTorch's Conv2d, GroupNorm, LeakyReLU and ConvTranspose2d, kernel 4, stride 2 and padding 1 as in the DCGAN
tutorial, kernel 3 with an output padding at the end. Habits of the port: one class for the encoder and one for the
decoder, the last activation outside of both, and kernels that are not turned unless `transpose_kernel`.
"""

from typing import Any

import jax
import numpy as np
from flax import nnx
from torch import nn as tnn


def make_public() -> tnn.Sequential:
    return tnn.Sequential(
        tnn.Conv2d(3, 16, 4, stride=2, padding=1, bias=False),
        tnn.GroupNorm(4, 16, eps=1e-5),
        tnn.LeakyReLU(0.2, inplace=True),
        tnn.Conv2d(16, 24, 4, stride=2, padding=1, bias=False),
        tnn.GroupNorm(4, 24, eps=1e-5),
        tnn.LeakyReLU(0.2, inplace=True),
        tnn.ConvTranspose2d(24, 16, 4, stride=2, padding=1, bias=False),
        tnn.GroupNorm(4, 16, eps=1e-5),
        tnn.ReLU(inplace=True),
        tnn.ConvTranspose2d(16, 3, 3, stride=2, padding=1, output_padding=1),
        tnn.Tanh(),
    )


class Squeeze(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(3, 16, (4, 4), strides=2, padding=1, use_bias=False, rngs=rngs)
        self.norm1 = nnx.GroupNorm(16, num_groups=4, epsilon=1e-5, rngs=rngs)
        self.conv2 = nnx.Conv(16, 24, (4, 4), strides=2, padding=1, use_bias=False, rngs=rngs)
        self.norm2 = nnx.GroupNorm(24, num_groups=4, epsilon=1e-5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.leaky_relu(self.norm1(self.conv1(x)), 0.2)
        return nnx.leaky_relu(self.norm2(self.conv2(x)), 0.2)


class Unfold(nnx.Module):
    def __init__(self, padding: Any, transpose_kernel: bool, rngs: nnx.Rngs) -> None:
        self.rise = nnx.ConvTranspose(
            24, 16, (4, 4), strides=2, padding="SAME", use_bias=False, transpose_kernel=transpose_kernel, rngs=rngs
        )
        self.norm = nnx.GroupNorm(16, num_groups=4, epsilon=1e-5, rngs=rngs)
        self.paint = nnx.ConvTranspose(
            16, 3, (3, 3), strides=2, padding=padding, transpose_kernel=transpose_kernel, rngs=rngs
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.paint(nnx.relu(self.norm(self.rise(x))))


class Autoencoder(nnx.Module):
    def __init__(self, padding: Any, transpose_kernel: bool, rngs: nnx.Rngs) -> None:
        self.squeeze = Squeeze(rngs)
        self.unfold = Unfold(padding, transpose_kernel, rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        return nnx.tanh(self.unfold(self.squeeze(images)))


def autoencoder(
    padding: Any = ((1, 2), (1, 2)), transpose_kernel: bool = False
) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair. PyTorch's padding p and output padding o are (k-1-p, k-1-p+o) in Flax: "SAME" is that with a kernel of
    4, and with one of 3 it has the right shape and shifts the image by a pixel."""
    images = np.random.default_rng(11).standard_normal((2, 32, 32, 3)).astype(np.float32)
    port = Autoencoder(padding, transpose_kernel, nnx.Rngs(0))
    return port, make_public(), images, {"to_torch": "NHWC->NCHW"}
