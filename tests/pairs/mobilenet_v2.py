"""torchvision's MobileNetV2 against a port in Linen.

Public: `torchvision.models.mobilenet_v2`. Habits of the port: one compact method for the whole network with a helper
for convolution, norm and activation, so that all layers have automatic names in one flat module (Conv_0 … Conv_51);
relu6 as minimum of a relu; the mode is called `training`.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from parity.torchvision_ import load_torchvision

# expansion, channels, blocks, stride of the first
TABLE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def relu6(x: jax.Array) -> jax.Array:
    return jnp.minimum(nn.relu(x), 6)


class MobileNetV2(nn.Module):
    num_classes: int = 1000
    dropout: float = 0.2

    @nn.compact
    def __call__(self, x: jax.Array, training: bool = False) -> jax.Array:
        def conv(x: jax.Array, width: int, size: int, stride: int = 1, depthwise: bool = False) -> jax.Array:
            pad = (size - 1) // 2
            x = nn.Conv(
                width,
                (size, size),
                (stride, stride),
                padding=[(pad, pad), (pad, pad)],
                feature_group_count=width if depthwise else 1,
                use_bias=False,
            )(x)
            return nn.BatchNorm(use_running_average=not training, momentum=0.9, epsilon=1e-5)(x)

        x = relu6(conv(x, 32, 3, 2))
        for expansion, width, blocks, first_stride in TABLE:
            for stride in (first_stride,) + (1,) * (blocks - 1):
                y, inner = x, x.shape[-1] * expansion
                if expansion > 1:
                    y = relu6(conv(y, inner, 1))
                y = relu6(conv(y, inner, 3, stride, depthwise=True))
                y = conv(y, width, 1)
                x = x + y if x.shape == y.shape else y
        x = relu6(conv(x, 1280, 1))
        x = x.mean((1, 2))
        x = nn.Dropout(self.dropout, deterministic=not training)(x)
        return nn.Dense(self.num_classes)(x)


def mobilenet_v2() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair."""
    images = np.random.default_rng(2).standard_normal((2, 64, 64, 3)).astype(np.float32)
    port = MobileNetV2(num_classes=10)
    model = load_torchvision().models.mobilenet_v2(weights=None, num_classes=10)
    return (port, port.init(jax.random.key(0), images)), model, images, {"to_torch": "NHWC->NCHW"}
