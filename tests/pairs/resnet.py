"""torchvision's ResNet-18 and ResNet-50 against a port in Linen: one compact module a block, automatic names, relu and
pooling by functions, NHWC."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from parity.torchvision_ import load_torchvision


class ResidualBlock(nn.Module):
    channels: int
    stride: int = 1
    padding: Any = 1
    momentum: float = 0.9

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        conv = partial(nn.Conv, use_bias=False)
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=self.momentum, epsilon=1e-5)
        y = conv(self.channels, (3, 3), strides=self.stride, padding=self.padding)(x)
        y = nn.relu(norm()(y))
        y = conv(self.channels, (3, 3), padding=1)(y)
        y = norm()(y)
        if x.shape != y.shape:
            x = norm(name="shortcut_norm")(conv(self.channels, (1, 1), strides=self.stride, name="shortcut")(x))
        return nn.relu(x + y)


class Bottleneck(nn.Module):
    channels: int
    stride: int = 1
    padding: Any = 1
    momentum: float = 0.9

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        conv = partial(nn.Conv, use_bias=False)
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=self.momentum, epsilon=1e-5)
        y = nn.relu(norm()(conv(self.channels, (1, 1))(x)))
        y = nn.relu(norm()(conv(self.channels, (3, 3), strides=self.stride, padding=self.padding)(y)))
        y = norm()(conv(4 * self.channels, (1, 1))(y))
        if x.shape != y.shape:
            x = norm(name="shortcut_norm")(conv(4 * self.channels, (1, 1), strides=self.stride, name="shortcut")(x))
        return nn.relu(x + y)


class ResNet(nn.Module):
    block: Any = ResidualBlock
    classes: int = 1000
    depths: tuple[int, ...] = (2, 2, 2, 2)
    padding: Any = 1
    momentum: float = 0.9

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(64, (7, 7), strides=2, padding=3, use_bias=False, name="stem")(images)
        x = nn.BatchNorm(use_running_average=not train, momentum=self.momentum, epsilon=1e-5)(x)
        x = nn.max_pool(nn.relu(x), (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
        for stage, depth in enumerate(self.depths):
            for place in range(depth):
                stride = 2 if stage > 0 and place == 0 else 1
                padding = self.padding if stride == 2 else 1
                x = self.block(64 * 2**stage, stride, padding, self.momentum)(x, train)
        return nn.Dense(self.classes)(jnp.mean(x, axis=(1, 2)))


def resnet18(padding: Any = 1, momentum: float = 0.9) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair; `padding="SAME"` is wrong at stride 2, `momentum` is Flax's."""
    images = np.random.default_rng(0).standard_normal((2, 64, 64, 3)).astype(np.float32)
    port = ResNet(padding=padding, momentum=momentum)
    variables = port.init(jax.random.key(0), images)
    return (port, variables), load_torchvision().models.resnet18(), images, {"to_torch": "NHWC->NCHW"}


def resnet50() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair with 25.6 million parameters, for what the check costs."""
    images = np.random.default_rng(0).standard_normal((2, 64, 64, 3)).astype(np.float32)
    port = ResNet(Bottleneck, depths=(3, 4, 6, 3))
    variables = port.init(jax.random.key(0), images)
    return (port, variables), load_torchvision().models.resnet50(), images, {"to_torch": "NHWC->NCHW"}
