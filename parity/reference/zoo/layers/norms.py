"""Norms over the last axis by hand."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Module, Shapes
from parity.reference.record import Run


class NormCache(NamedTuple):
    """The arrays that the backward passes need.

    Attributes:
        normalised: the normalised inputs, (..., C).
        inverse_deviation: 1 / sqrt(mean square + eps) of each row, (..., 1).
        scale: the layer's scale, (C,).
    """

    normalised: Array
    inverse_deviation: Array
    scale: Array


def layer_norm_forward(inputs: Array, scale: Array, bias: Array, *, eps: float) -> tuple[Array, NormCache]:
    """Compute `(x - mean) / sqrt(var + eps) * scale + bias` over the last axis; the variance is divided by C.

    Args:
        inputs: (..., C).
        scale, bias: (C,).
        eps: number that is added to the variance, inside the root.

    Returns:
        The output, (..., C), and the cache. Source: https://arxiv.org/abs/1607.06450.
    """
    centred = inputs - inputs.mean(axis=-1, keepdims=True)
    inverse = 1.0 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)
    return centred * inverse * scale + bias, NormCache(centred * inverse, inverse, scale)


def layer_norm_backward(cotangent: Array, cache: NormCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `layer_norm_forward`: (..., C) to the inputs' (..., C) and `scale`, `bias`."""
    to_inputs, gradients = rms_norm_backward(cotangent, cache)
    axes = tuple(range(cotangent.ndim - 1))
    return to_inputs - to_inputs.mean(axis=-1, keepdims=True), gradients | {"bias": cotangent.sum(axis=axes)}


def rms_norm_forward(inputs: Array, scale: Array, *, eps: float) -> tuple[Array, NormCache]:
    """Compute `x / sqrt(mean(x²) + eps) * scale` over the last axis.

    Args:
        inputs: (..., C).
        scale: (C,).
        eps: number that is added to the mean square, inside the root.

    Returns:
        The output, (..., C), and the cache. Source: https://arxiv.org/abs/1910.07467.
    """
    inverse = 1.0 / np.sqrt((inputs**2).mean(axis=-1, keepdims=True) + eps)
    return inputs * inverse * scale, NormCache(inputs * inverse, inverse, scale)


def rms_norm_backward(cotangent: Array, cache: NormCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `rms_norm_forward`: (..., C) to the inputs' (..., C) and `scale`."""
    normalised, inverse, scale = cache
    axes = tuple(range(cotangent.ndim - 1))
    to_normalised = cotangent * scale
    along = (to_normalised * normalised).mean(axis=-1, keepdims=True)
    return (to_normalised - normalised * along) * inverse, {"scale": (cotangent * normalised).sum(axis=axes)}


@dataclass
class RMSNorm(Module):
    """Division by the root of the mean square."""

    channels: int
    eps: float

    def own_shapes(self) -> Shapes:
        """Shape of the scale, (channels,)."""
        return {"scale": (self.channels,)}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, NormCache]:
        """See `rms_norm_forward`."""
        return rms_norm_forward(inputs, **weights, eps=self.eps)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `rms_norm_backward`."""
        return rms_norm_backward(cotangent, cache)


@dataclass
class LayerNorm(Module):
    """Layer normalisation; without `affine` it has neither scale nor bias."""

    channels: int
    eps: float
    affine: bool = True

    def own_shapes(self) -> Shapes:
        """Shapes of the scale and the bias, (channels,), if there are any."""
        return {"scale": (self.channels,), "bias": (self.channels,)} if self.affine else {}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, NormCache]:
        """See `layer_norm_forward`."""
        plain = {} if self.affine else {"scale": np.ones(self.channels), "bias": np.zeros(self.channels)}
        return layer_norm_forward(inputs, **weights, **plain, eps=self.eps)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `layer_norm_backward`."""
        to_inputs, gradients = layer_norm_backward(cotangent, cache)
        return to_inputs, gradients if self.affine else {}


def group_norm_forward(
    inputs: Array, scale: Array, bias: Array, *, groups: int, eps: float
) -> tuple[Array, tuple[NormCache, Array]]:
    """Compute `(x - mean) / sqrt(var + eps) * scale + bias` over each example's map and each group of its channels.

    Args:
        inputs: (B, H, W, C).
        scale, bias: (C,).
        groups: number of groups of neighbouring channels, which divides C.
        eps: number that is added to the variance, inside the root.

    Returns:
        The output, (B, H, W, C), and the cache: that of a layer norm of the rows (B, groups, numbers), and the scale.
        Source: https://arxiv.org/abs/1803.08494.
    """
    rows = as_groups(inputs, groups)
    plain = np.ones(rows.shape[-1])
    normalised, cache = layer_norm_forward(rows, plain, np.zeros_like(plain), eps=eps)
    return as_map(normalised, inputs.shape) * scale + bias, (cache, scale)


def group_norm_backward(cotangent: Array, cache: tuple[NormCache, Array]) -> tuple[Array, dict[str, Array]]:
    """Differentiate `group_norm_forward`: (B, H, W, C) to the inputs' (B, H, W, C) and `scale`, `bias`."""
    rows, scale = cache
    normalised = as_map(rows.normalised, cotangent.shape)
    gradients = {"scale": (cotangent * normalised).sum(axis=(0, 1, 2)), "bias": cotangent.sum(axis=(0, 1, 2))}
    to_rows, _ = layer_norm_backward(as_groups(cotangent * scale, rows.normalised.shape[1]), rows)
    return as_map(to_rows, cotangent.shape), gradients


def as_groups(images: Array, groups: int) -> Array:
    """(B, H, W, C) → (B, groups, H · W · C/groups)."""
    batch, height, width, channels = images.shape
    parted = images.reshape(batch, height, width, groups, channels // groups)
    return parted.transpose(0, 3, 1, 2, 4).reshape(batch, groups, -1)


def as_map(rows: Array, shape: tuple[int, ...]) -> Array:
    """(B, groups, H · W · C/groups) → (B, H, W, C)."""
    batch, height, width, channels = shape
    parted = rows.reshape(batch, rows.shape[1], height, width, channels // rows.shape[1])
    return parted.transpose(0, 2, 3, 1, 4).reshape(shape)


@dataclass
class GroupNorm(Module):
    """Group normalisation."""

    channels: int
    groups: int
    eps: float

    def own_shapes(self) -> Shapes:
        """Shapes of the scale and the bias, (channels,)."""
        return {"scale": (self.channels,), "bias": (self.channels,)}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `group_norm_forward`."""
        return group_norm_forward(inputs, **weights, groups=self.groups, eps=self.eps)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `group_norm_backward`."""
        return group_norm_backward(cotangent, cache)
