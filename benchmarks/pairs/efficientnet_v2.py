"""torchvision's EfficientNetV2-S against a port in Linen, for what the check of a large pair costs.

Public: `torchvision.models.efficientnet_v2_s`. The port is one compact method for the whole network, with a helper for
convolution, norm and activation. Stochastic depth is off on both sides: it draws its own noise in training, which the
frameworks do not share.
"""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from parity.torchvision_ import load_torchvision

# fused or not, expansion, stride of the first block, channels, blocks
TABLE = (
    (True, 1, 1, 24, 2),
    (True, 4, 2, 48, 4),
    (True, 4, 2, 64, 4),
    (False, 4, 2, 128, 6),
    (False, 6, 1, 160, 9),
    (False, 6, 2, 256, 15),
)


class EfficientNetV2S(nn.Module):
    """EfficientNetV2-S, (B, H, W, 3) → (B, num_classes); 20,190,298 parameters with 10 classes.

    Source: https://arxiv.org/abs/2104.00298, table 4.
    """

    num_classes: int = 1000
    dropout: float = 0.2

    @nn.compact
    def __call__(self, x: jax.Array, training: bool = False) -> jax.Array:
        """Logits of images, both in float32."""

        def conv(x: jax.Array, width: int, size: int, stride: int = 1, groups: int = 1) -> jax.Array:
            pad = size // 2
            x = nn.Conv(
                width,
                (size, size),
                (stride, stride),
                padding=[(pad, pad), (pad, pad)],
                feature_group_count=groups,
                use_bias=False,
            )(x)
            return nn.BatchNorm(use_running_average=not training, momentum=0.9, epsilon=1e-3)(x)

        def excited(y: jax.Array, width: int) -> jax.Array:
            scale = nn.silu(nn.Conv(width, (1, 1))(y.mean((1, 2), keepdims=True)))
            return y * nn.sigmoid(nn.Conv(y.shape[-1], (1, 1))(scale))

        x = nn.silu(conv(x, 24, 3, 2))
        for fused, expansion, first_stride, width, blocks in TABLE:
            for stride in (first_stride,) + (1,) * (blocks - 1):
                channels, inner = x.shape[-1], x.shape[-1] * expansion
                if fused and expansion == 1:
                    y = nn.silu(conv(x, width, 3, stride))
                elif fused:
                    y = conv(nn.silu(conv(x, inner, 3, stride)), width, 1)
                else:
                    y = nn.silu(conv(x, inner, 1))
                    y = nn.silu(conv(y, inner, 3, stride, inner))
                    y = conv(excited(y, channels // 4), width, 1)
                x = x + y if x.shape == y.shape else y
        x = nn.silu(conv(x, 1280, 1)).mean((1, 2))
        x = nn.Dropout(self.dropout, deterministic=not training)(x)
        return nn.Dense(self.num_classes)(x)


def efficientnet_v2_s() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair, with 20.2 million parameters, and two images of 128 × 128 pixels."""
    images = np.random.default_rng(0).standard_normal((2, 128, 128, 3)).astype(np.float32)
    port = EfficientNetV2S(num_classes=10)
    model = load_torchvision().models.efficientnet_v2_s(weights=None, num_classes=10, stochastic_depth_prob=0.0)
    return (port, port.init(jax.random.key(0), images)), model, images, {"to_torch": "NHWC->NCHW"}
