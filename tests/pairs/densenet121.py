"""torchvision's DenseNet-121 against a port in Linen.

Public: `torchvision.models.densenet121`. Habits of the port: a function for "norm, relu, convolution" within compact
modules, a list of feature maps that is joined before every layer, automatic names, the global pooling by nn.avg_pool.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from parity.torchvision_ import load_torchvision


def norm_relu_conv(x: jax.Array, width: int, size: int, train: bool) -> jax.Array:
    """Pre-activation; makes its layers in the compact module that calls it."""
    x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x))
    return nn.Conv(width, (size, size), padding=size // 2, use_bias=False)(x)


class DenseBlock(nn.Module):
    depth: int
    growth: int
    bottleneck: int = 4

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        maps = [x]
        for _ in range(self.depth):
            inner = norm_relu_conv(jnp.concatenate(maps, -1), self.bottleneck * self.growth, 1, train)
            maps.append(norm_relu_conv(inner, self.growth, 3, train))
        return jnp.concatenate(maps, -1)


class Transition(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        return nn.avg_pool(norm_relu_conv(x, x.shape[-1] // 2, 1, train), (2, 2), (2, 2))


class DenseNet(nn.Module):
    depths: tuple[int, ...] = (6, 12, 24, 16)
    growth: int = 32
    classes: int = 1000

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(2 * self.growth, (7, 7), (2, 2), padding=3, use_bias=False)(images)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
        x = nn.max_pool(nn.relu(x), (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for depth in self.depths[:-1]:
            x = Transition()(DenseBlock(depth, self.growth)(x, train), train)
        x = DenseBlock(self.depths[-1], self.growth)(x, train)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
        x = nn.avg_pool(nn.relu(x), x.shape[1:3])
        return nn.Dense(self.classes)(x.squeeze((1, 2)))


def densenet121() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair."""
    images = np.random.default_rng(3).standard_normal((2, 64, 64, 3)).astype(np.float32)
    port = DenseNet(classes=10)
    model = load_torchvision().models.densenet121(weights=None, num_classes=10)
    return (port, port.init(jax.random.key(0), images)), model, images, {"to_torch": "NHWC->NCHW"}
