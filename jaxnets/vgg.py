"""Reduced VGG with batch normalisation."""

from collections.abc import Sequence

import jax
from flax import nnx

from jaxnets.layers import BatchNorm, Flatten, MaxPool, conv3x3, dense

PLAN = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


class ConvBlock(nnx.Module):
    """3×3 convolution with bias, batch normalisation, ReLU; (B, H, W, in) → (B, H, W, out)."""

    def __init__(self, in_channels: int, out_channels: int, *, init: str, rngs: nnx.Rngs) -> None:
        self.conv = conv3x3(in_channels, out_channels, init=init, rngs=rngs)
        self.norm = BatchNorm(out_channels, epsilon=1e-5, momentum=0.9, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply the block to x (B, H, W, in)."""
        return nnx.relu(self.norm(self.conv(x)))


class VGG(nnx.Module):
    """Blocks and pools in the order of a plan, then one dense layer.

    Args:
        plan: a number is a `ConvBlock` with so many channels, "M" a 3×3 max-pool of stride 2 and padding 1.
        in_channels: channels of the image.
        num_classes: number of logits.
        image_size: height and width of the image; each pool halves it, rounding up.
        init: "default" (PyTorch's) or "randn" (0.1·N(0, 1) and zero biases).
        rngs: source of the initial weights.

    Source: the study, part II.
    """

    def __init__(
        self,
        *,
        plan: Sequence[int | str] = PLAN,
        in_channels: int = 3,
        num_classes: int = 10,
        image_size: int = 32,
        init: str = "default",
        rngs: nnx.Rngs,
    ) -> None:
        self.features: nnx.List[nnx.Module] = nnx.List()
        channels, size = in_channels, image_size
        for entry in plan:
            if isinstance(entry, str):
                self.features.append(MaxPool(3, stride=2, padding=1))
                size = (size + 1) // 2
            else:
                self.features.append(ConvBlock(channels, entry, init=init, rngs=rngs))
                channels = entry
        self.flatten = Flatten()
        self.classifier = dense(channels * size * size, num_classes, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits (B, classes) of images (B, H, W, C)."""
        for layer in self.features:
            x = layer(x)
        return self.classifier(self.flatten(x))
