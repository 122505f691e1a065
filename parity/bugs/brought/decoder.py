"""Images: a strided convolution, a pool, a transposed convolution, a resize and an adaptive pool."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

BATCH, SIZE, CHANNELS = 2, 8, 3


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        padding: padding of the strided convolution: "both", one pixel on every side; "same", none before and one after.
        pool: "max", padded with −∞; "zeros", padded with zeros; "mean"; "inner", the mean over what is not padding.
        shift: pixels by which the transposed convolution's padding is off.
        antialias: whether the resize to a smaller size smooths first.
        align: whether the resize keeps the corners' centres.
        windows: windows of the adaptive pool: "overlapping", PyTorch's; "equal", cut to the same length.
    """

    padding: str = "both"
    pool: str = "max"
    shift: int = 0
    antialias: bool = False
    align: bool = False
    windows: str = "overlapping"


class TorchPool(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "max":
            return F.max_pool2d(x, 3, stride=1, padding=1)
        if self.kind == "zeros":
            return F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=1)
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=self.kind == "mean")


class FlaxPool(nnx.Module):
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, x: jax.Array) -> jax.Array:
        around = ((1, 1), (1, 1))
        if self.kind == "max":
            return nnx.max_pool(x, (3, 3), strides=(1, 1), padding=around)
        if self.kind == "zeros":
            return nnx.max_pool(jnp.pad(x, ((0, 0), *around, (0, 0))), (3, 3), strides=(1, 1))
        return nnx.avg_pool(x, (3, 3), strides=(1, 1), padding=around, count_include_pad=self.kind == "mean")


class TorchResize(nn.Module):
    """A bilinear resize to 5×5 pixels."""

    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.options = {"align_corners": s.align, "antialias": s.antialias}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, (5, 5), mode="bilinear", **self.options)


class FlaxResize(nnx.Module):
    """A bilinear resize to 5×5 pixels."""

    def __init__(self, s: Settings) -> None:
        self.align, self.antialias = s.align, s.antialias

    def __call__(self, x: jax.Array) -> jax.Array:
        batch, height, _, channels = x.shape
        if not self.align:
            return jax.image.resize(x, (batch, 5, 5, channels), "linear", antialias=self.antialias)
        scale = jnp.full(2, 4 / (height - 1), x.dtype)
        return jax.image.scale_and_translate(
            x, (batch, 5, 5, channels), (1, 2), scale, 0.5 - 0.5 * scale, "linear", antialias=False
        )


def edges(size: int, windows: str) -> list[tuple[int, int]]:
    """First and last pixel (exclusive) of two windows over `size` pixels."""
    if windows == "equal":
        return [(0, size // 2), (size // 2, size // 2 * 2)]
    return [(i * size // 2, -(-(i + 1) * size // 2)) for i in range(2)]


class TorchAdaptive(nn.Module):
    """An adaptive average pool to 2×2 means."""

    def __init__(self, windows: str) -> None:
        super().__init__()
        self.windows = windows

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.windows == "overlapping":
            return F.adaptive_avg_pool2d(x, (2, 2))
        cut = edges(x.shape[-1], self.windows)
        rows = [torch.stack([x[..., a:b, c:d].mean((-1, -2)) for c, d in cut], -1) for a, b in cut]
        return torch.stack(rows, -2)


class FlaxAdaptive(nnx.Module):
    """An adaptive average pool to 2×2 means."""

    def __init__(self, windows: str) -> None:
        self.windows = windows

    def __call__(self, x: jax.Array) -> jax.Array:
        cut = edges(x.shape[1], self.windows)
        rows = [jnp.stack([x[:, a:b, c:d].mean((1, 2)) for c, d in cut], 1) for a, b in cut]
        return jnp.stack(rows, 1)


class TorchDecoder(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.same = s.padding == "same"
        self.down = nn.Conv2d(CHANNELS, 4, 3, stride=2, padding=0 if self.same else 1)
        self.pool = TorchPool(s.pool)
        self.up = nn.ConvTranspose2d(4, 5, 3, stride=2, padding=1 - s.shift, output_padding=1 - s.shift)
        self.shift = s.shift
        self.resize = TorchResize(s)
        self.adaptive = TorchAdaptive(s.windows)
        self.head = nn.Linear(5 * 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.down(F.pad(x, (0, 1, 0, 1)) if self.same else x))
        x = self.up(x)[..., :SIZE, :SIZE]
        return self.head(self.adaptive(self.resize(x)).permute(0, 2, 3, 1).flatten(1))


class FlaxDecoder(nnx.Module):
    def __init__(self, s: Settings, rngs: nnx.Rngs) -> None:
        padding: Any = "SAME" if s.padding == "same" else ((1, 1), (1, 1))
        self.down = nnx.Conv(CHANNELS, 4, (3, 3), strides=(2, 2), padding=padding, rngs=rngs)
        self.pool = FlaxPool(s.pool)
        around = (1 + s.shift, 2 - s.shift)
        self.up = nnx.ConvTranspose(
            4, 5, (3, 3), strides=(2, 2), padding=(around, around), transpose_kernel=True, rngs=rngs
        )
        self.resize = FlaxResize(s)
        self.adaptive = FlaxAdaptive(s.windows)
        self.head = nnx.Linear(5 * 4, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.up(self.pool(self.down(x)))
        x = self.adaptive(self.resize(x))
        return self.head(x.reshape(x.shape[0], -1))


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, H, W, C), and the option that gives PyTorch its layout of them."""
    x = np.random.default_rng(6).standard_normal((BATCH, SIZE, SIZE, CHANNELS)).astype(np.float32)
    return FlaxDecoder(flax, nnx.Rngs(0)), TorchDecoder(torch), x, {"to_torch": "NHWC->NCHW"}
