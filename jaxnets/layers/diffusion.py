"""What a diffusion U-Net is made of: residual blocks that are told the step, attention over a map, and upsampling."""

import jax
from flax import nnx

from jaxnets.layers.attention import Attention
from jaxnets.layers.convolution import conv, conv3x3
from jaxnets.layers.dense import dense
from jaxnets.layers.initial import ending
from jaxnets.layers.norm import group_norm


class Upsample(nnx.Module):
    """Each pixel four times, and a 3×3 convolution; (B, H, W, C) → (B, 2H, 2W, C)."""

    def __init__(self, channels: int, *, init: str, rngs: nnx.Rngs) -> None:
        self.conv = conv3x3(channels, channels, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Enlarge x (B, H, W, C)."""
        return self.conv(x.repeat(2, axis=1).repeat(2, axis=2))


class MapAttention(nnx.Module):
    """x + attention(norm(x)), every pixel looking at all of its map, with one head; (B, H, W, C) → (B, H, W, C)."""

    def __init__(self, channels: int, *, groups: int, init: str, rngs: nnx.Rngs) -> None:
        self.norm = group_norm(channels, groups=groups, epsilon=1e-6, rngs=rngs)
        self.attention = Attention(channels, 1, causal=False, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Mix the pixels of x (B, H, W, C)."""
        pixels = self.norm(x).reshape(x.shape[0], -1, x.shape[-1])
        return x + self.attention(pixels).reshape(x.shape)


class TimedBlock(nnx.Module):
    """shortcut(x) + last(SiLU(norm2(first(SiLU(norm1(x))) + time(SiLU(c))))), and attention after it where wanted.

    Args:
        in_channels, out_channels: channels of the input and of the output; the shortcut is a 1×1 convolution where
            they differ.
        condition: features of c, which tells the step.
        attention: whether the pixels look at each other afterwards.
        groups: number of groups of channels that are normalised together.
        init: name of the initial distribution.
        rngs: source of the initial weights.

    Source: https://arxiv.org/abs/2006.11239 and https://github.com/hojonathanho/diffusion.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        condition: int,
        attention: bool,
        groups: int,
        init: str,
        rngs: nnx.Rngs,
    ) -> None:
        self.norm1 = group_norm(in_channels, groups=groups, epsilon=1e-6, rngs=rngs)
        self.first = conv3x3(in_channels, out_channels, init=init, rngs=rngs)
        self.time = dense(condition, out_channels, init=init, rngs=rngs)
        self.norm2 = group_norm(out_channels, groups=groups, epsilon=1e-6, rngs=rngs)
        self.last = conv3x3(out_channels, out_channels, init=ending(init), rngs=rngs)
        self.shortcut = (
            conv(in_channels, out_channels, size=1, stride=1, padding=0, bias=True, init=init, rngs=rngs)
            if in_channels != out_channels
            else None
        )
        self.attention = MapAttention(out_channels, groups=groups, init=init, rngs=rngs) if attention else None

    def __call__(self, x: jax.Array, condition: jax.Array) -> jax.Array:
        """Apply the block to x (B, H, W, in) at the condition (B, features); (B, H, W, out)."""
        y = self.first(nnx.silu(self.norm1(x))) + self.time(nnx.silu(condition))[:, None, None, :]
        y = self.last(nnx.silu(self.norm2(y)))
        y = y + (x if self.shortcut is None else self.shortcut(x))
        return y if self.attention is None else self.attention(y)
