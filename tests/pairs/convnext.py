"""torchvision's ConvNeXt against a port in Linen.

Public: `torchvision.models.convnext.ConvNeXt` with a small setting. Habits of the port: NHWC throughout, so that no
permutation surrounds the LayerNorms; Dense where the public one has Linear; the layer scale as a vector.
"""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from parity.torchvision_ import load_torchvision

WIDTHS, DEPTHS = (16, 32, 48), (2, 2, 1)


class ConvNextBlock(nn.Module):
    scale: float = 1e-6

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        width = x.shape[-1]
        y = nn.Conv(width, (7, 7), padding="SAME", feature_group_count=width, name="dwconv")(x)
        y = nn.LayerNorm(epsilon=1e-6, name="norm")(y)
        y = nn.gelu(nn.Dense(4 * width, name="pwconv1")(y), approximate=False)
        y = nn.Dense(width, name="pwconv2")(y)
        return x + y * self.param("gamma", nn.initializers.constant(self.scale), (width,))


class ConvNext(nn.Module):
    classes: int = 10

    def setup(self) -> None:
        self.stem = nn.Conv(WIDTHS[0], (4, 4), strides=4, padding="VALID")
        self.stem_norm = nn.LayerNorm(epsilon=1e-6)
        self.down_norms = [nn.LayerNorm(epsilon=1e-6) for _ in WIDTHS[1:]]
        self.downs = [nn.Conv(width, (2, 2), strides=2, padding="VALID") for width in WIDTHS[1:]]
        self.stages = [[ConvNextBlock() for _ in range(depth)] for depth in DEPTHS]
        self.head_norm = nn.LayerNorm(epsilon=1e-6)
        self.head = nn.Dense(self.classes)

    def __call__(self, images: jax.Array) -> jax.Array:
        x = self.stem_norm(self.stem(images))
        for place, stage in enumerate(self.stages):
            if place:
                x = self.downs[place - 1](self.down_norms[place - 1](x))
            for block in stage:
                x = block(x)
        return self.head(self.head_norm(x.mean(axis=(1, 2))))


def convnext() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair."""
    public = load_torchvision().models.convnext
    following = (*WIDTHS[1:], None)
    setting = [public.CNBlockConfig(*stage) for stage in zip(WIDTHS, following, DEPTHS, strict=True)]
    model = public.ConvNeXt(setting, stochastic_depth_prob=0.0, layer_scale=1e-6, num_classes=10)
    images = np.random.default_rng(12).standard_normal((2, 64, 64, 3)).astype(np.float32)
    port = ConvNext()
    return (port, port.init(jax.random.key(0), images)), model, images, {"to_torch": "NHWC->NCHW"}
