"""A convolution block written flat: strided and depthwise convolutions, squeeze and excite, pools, a resize."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from jax import lax
from torch import nn
from torch.nn import functional as F

BATCH, SIDE, CHANNELS, WIDE, SQUEEZED = 2, 8, 3, 4, 2


class FlaxBlock(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.4)
        self.stem = nnx.Param(draw(rngs.params(), (3, 3, CHANNELS, WIDE)))
        self.depth = nnx.Param(draw(rngs.params(), (5, 5, 1, WIDE)))
        self.bias = nnx.Param(draw(rngs.params(), (WIDE,)))
        self.down = nnx.Param(draw(rngs.params(), (WIDE, SQUEEZED)))
        self.up = nnx.Param(draw(rngs.params(), (SQUEEZED, WIDE)))

    def __call__(self, x: jax.Array) -> jax.Array:
        axes = ("NHWC", "HWIO", "NHWC")
        h = lax.conv_general_dilated(x, self.stem[...], (2, 2), ((1, 1), (1, 1)), dimension_numbers=axes)
        h = jax.nn.relu6(4.0 * h)
        h = lax.conv_general_dilated(
            h, self.depth[...], (1, 1), ((2, 2), (2, 2)), feature_group_count=WIDE, dimension_numbers=axes
        )
        h = h + self.bias[...]
        h = h * jax.nn.relu6(h + 3.0) / 6.0
        s = jnp.mean(h, axis=(1, 2))
        s = jax.nn.relu(s @ self.down[...])
        s = jax.nn.sigmoid(s @ self.up[...])
        h = h * s[:, None, None, :]
        p = jnp.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-jnp.inf)
        p = lax.reduce_window(p, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 1, 1, 1), "VALID")
        a = lax.reduce_window(h, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4.0
        a = jax.image.resize(a, h.shape, "nearest")
        h = jnp.concatenate([p, a], axis=-1)
        h = h.reshape(h.shape[0], 4, 4, 2, WIDE).swapaxes(3, 4).reshape(h.shape)
        return h.mean(axis=(1, 2))


class TorchBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Parameter(0.4 * torch.randn(WIDE, CHANNELS, 3, 3))
        self.depth = nn.Parameter(0.4 * torch.randn(WIDE, 1, 5, 5))
        self.bias = nn.Parameter(0.4 * torch.randn(WIDE))
        self.down = nn.Parameter(0.4 * torch.randn(WIDE, SQUEEZED))
        self.up = nn.Parameter(0.4 * torch.randn(SQUEEZED, WIDE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.conv2d(x, self.stem, stride=2, padding=1)
        h = F.relu6(4.0 * h)
        h = F.conv2d(h, self.depth, padding=2, groups=WIDE)
        h = h + self.bias[:, None, None]
        h = h * F.relu6(h + 3.0) / 6.0
        s = h.mean(dim=(2, 3))
        s = F.relu(s @ self.down)
        s = torch.sigmoid(s @ self.up)
        h = h * s[:, :, None, None]
        p = F.pad(h, (1, 1, 1, 1), value=-torch.inf)
        p = F.max_pool2d(p, 3, stride=1)
        a = F.avg_pool2d(h, 2)
        a = F.interpolate(a, size=h.shape[2:], mode="nearest")
        h = torch.cat([p, a], dim=1)
        h = h.view(h.shape[0], 2, WIDE, 4, 4).transpose(1, 2).reshape(h.shape)
        return h.mean(dim=(2, 3))


def pair() -> tuple[Any, Any, Any, dict[str, Any]]:
    x = np.random.default_rng(5).standard_normal((BATCH, SIDE, SIDE, CHANNELS)).astype(np.float32)
    return FlaxBlock(nnx.Rngs(0)), TorchBlock(), x, {"to_torch": "NHWC->NCHW"}
