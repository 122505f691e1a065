"""torchvision's VGG-11 with BatchNorm against a port in NNX.

Public: `torchvision.models.vgg11_bn` with its AdaptiveAvgPool2d((7, 7)); its head of 120 million parameters is replaced
by a small one, as in fine-tuning. Habits of the port: all of the features in one nnx.Sequential with bare functions in
it, its own adaptive pooling, and a flatten of NHWC, so that the first Linear has its rows in another order.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from torch import nn as tnn

from parity.torchvision_ import load_torchvision

PLAN = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")
POOLED = 7


def adaptive_pool(x: jax.Array, size: int) -> jax.Array:
    """Means over windows that divide height and width into that many, with overlaps where they are not divisible."""

    def windows(length: int) -> list[slice]:
        return [slice(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]

    rows = jnp.stack([jnp.mean(x[:, rows], axis=1) for rows in windows(x.shape[1])], axis=1)
    return jnp.stack([jnp.mean(rows[:, :, columns], axis=2) for columns in windows(x.shape[2])], axis=2)


def make_features(rngs: nnx.Rngs) -> nnx.Sequential:
    layers: list[Any] = []
    inputs = 3
    for step in PLAN:
        if isinstance(step, str):
            layers.append(partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2)))
        else:
            layers.append(nnx.Conv(inputs, step, (3, 3), padding="SAME", rngs=rngs))
            layers.append(nnx.BatchNorm(step, momentum=0.9, epsilon=1e-5, rngs=rngs))
            layers.append(nnx.relu)
            inputs = step
    return nnx.Sequential(*layers)


class Vgg(nnx.Module):
    def __init__(self, classes: int, hidden: int, rngs: nnx.Rngs) -> None:
        self.features = make_features(rngs)
        self.flat = nnx.Linear(512 * POOLED * POOLED, hidden, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.logits = nnx.Linear(hidden, classes, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        x = adaptive_pool(self.features(images), POOLED)
        x = nnx.relu(self.flat(x.reshape(len(x), -1)))
        return self.logits(self.drop(x))


def vgg11_adaptive() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair: 64×64 images leave 2×2 maps, which the pooling repeats to 7×7."""
    model = load_torchvision().models.vgg11_bn(weights=None)
    model.classifier = tnn.Sequential(
        tnn.Linear(512 * POOLED**2, 32), tnn.ReLU(True), tnn.Dropout(0.5), tnn.Linear(32, 10)
    )
    images = np.random.default_rng(1).standard_normal((2, 64, 64, 3)).astype(np.float32)
    return Vgg(10, 32, nnx.Rngs(0)), model, images, {"to_torch": "NHWC->NCHW"}
