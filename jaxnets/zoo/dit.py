"""Diffusion transformer."""

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers import (
    Attention,
    FeedForward,
    conv,
    dense,
    embedding,
    ending,
    grid_positions,
    layer_norm,
    timestep_embedding,
)
from jaxnets.losses import mean_squared_error


def modulate(x: jax.Array, shift: jax.Array, scale: jax.Array) -> jax.Array:
    """x · (1 + scale) + shift of x (B, T, C), by a shift and a scale (B, C) for each example."""
    return x * (1 + scale[:, None, :]) + shift[:, None, :]


class DiTBlock(nnx.Module):
    """Attention and a feed-forward layer, each shifted, scaled and gated by the condition: adaLN-Zero.

    With the layer `modulation` at 0, as it is at first, the block gives what it gets.

    Args:
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        init: name of the initial distribution.
        rngs: source of the initial weights.
    """

    def __init__(self, width: int, heads: int, hidden: int, *, init: str, rngs: nnx.Rngs) -> None:
        self.norm1 = layer_norm(width, epsilon=1e-6, affine=False, rngs=rngs)
        self.attention = Attention(width, heads, causal=False, init=init, rngs=rngs)
        self.norm2 = layer_norm(width, epsilon=1e-6, affine=False, rngs=rngs)
        self.mlp = FeedForward(width, hidden, approximate=True, init=init, rngs=rngs)
        self.modulation = dense(width, 6 * width, init=ending(init), rngs=rngs)

    def __call__(self, x: jax.Array, condition: jax.Array) -> jax.Array:
        """Apply the block to x (B, T, C) at the condition (B, C)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = jnp.split(self.modulation(nnx.silu(condition)), 6, axis=-1)
        x = x + gate1[:, None, :] * self.attention(modulate(self.norm1(x), shift1, scale1))
        return x + gate2[:, None, :] * self.mlp(modulate(self.norm2(x), shift2, scale2))


class DiT(nnx.Module):
    """Noise in an image of a diffusion, from the image, the number of the step and the class of what is shown.

    The defaults are DiT-XL/2 for latents of 32 × 32, 674,834,720 parameters; half of its output is a variance.

    Args:
        image_size: height and width of the images, which `patch_size` divides.
        patch_size: height and width of a patch.
        in_channels, out_channels: channels of the image, and of what is predicted.
        num_classes: number of classes; one more number stands for no class at all.
        width: features C of a patch, which 4 divides.
        depth: number of blocks.
        heads: heads of each attention.
        hidden: features inside each feed-forward layer.
        frequencies: sines and cosines of the step, an even number.
        init: "xavier" (U(±√(6/(fan_in + fan_out))), zero biases, and zeros in `modulation` and `head`), "default" or
            "randn".
        rngs: source of the initial weights.

    Differs from the paper's code: the layers of the step are drawn as all others; which classes are withheld in
    training is for the data to say. Source: https://arxiv.org/abs/2212.09748 and
    https://github.com/facebookresearch/DiT.
    """

    loss = staticmethod(mean_squared_error)

    def __init__(
        self,
        *,
        image_size: int = 32,
        patch_size: int = 2,
        in_channels: int = 4,
        out_channels: int = 8,
        num_classes: int = 1000,
        width: int = 1152,
        depth: int = 28,
        heads: int = 16,
        hidden: int = 4608,
        frequencies: int = 256,
        init: str = "xavier",
        rngs: nnx.Rngs,
    ) -> None:
        self.side, self.patch_size, self.frequencies = image_size // patch_size, patch_size, frequencies
        self.patches = conv(
            in_channels, width, size=patch_size, stride=patch_size, padding=0, bias=True, init=init, rngs=rngs
        )
        self.time1 = dense(frequencies, width, init=init, rngs=rngs)
        self.time2 = dense(width, width, init=init, rngs=rngs)
        self.label = embedding(num_classes + 1, width, init=init, rngs=rngs)
        self.blocks = nnx.List(DiTBlock(width, heads, hidden, init=init, rngs=rngs) for _ in range(depth))
        self.norm = layer_norm(width, epsilon=1e-6, affine=False, rngs=rngs)
        self.modulation = dense(width, 2 * width, init=ending(init), rngs=rngs)
        self.head = dense(width, patch_size**2 * out_channels, init=ending(init), rngs=rngs)

    def __call__(self, x: jax.Array, steps: jax.Array, classes: jax.Array) -> jax.Array:
        """Noise (B, H, W, out) in images x (B, H, W, in) at the steps (B,) of the classes (B,), whole numbers."""
        condition = self.condition(steps.astype(x.dtype), classes)
        x = self.patches(x)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        x = x + self.positions(x)
        for block in self.blocks:
            x = block(x, condition)
        shift, scale = jnp.split(self.modulation(nnx.silu(condition)), 2, axis=-1)
        return self.joined(self.head(modulate(self.norm(x), shift, scale)))

    def condition(self, steps: jax.Array, classes: jax.Array) -> jax.Array:
        """What the blocks are told of the steps (B,) and the classes (B,), (B, C)."""
        waves = timestep_embedding(steps, self.frequencies, cosine_first=True, shift=0)
        return self.time2(nnx.silu(self.time1(waves))) + self.label(classes)

    def positions(self, x: jax.Array) -> jax.Array:
        """What tells the places of the patches x (B, T, C), (T, C); it is not learnt."""
        return grid_positions(self.side, x.shape[-1], x.dtype)

    def joined(self, x: jax.Array) -> jax.Array:
        """The image (B, H, W, out) of patches (B, T, P · P · out), whose numbers lie by row, column and channel."""
        x = x.reshape(x.shape[0], self.side, self.side, self.patch_size, self.patch_size, -1)
        x = x.transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(x.shape[0], self.side * self.patch_size, self.side * self.patch_size, -1)
