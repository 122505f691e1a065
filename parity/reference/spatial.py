"""Layers over windows of an image, by hand: convolution and max-pooling. Images are NHWC, float64."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from parity.reference.layers import Array


def unfold(images: Array, window: tuple[int, int], stride: int, padding: int, fill: float = 0.0) -> Array:
    """View the windows of images (B, H, W, C), padded with `fill` on all four sides, without copying them.

    Returns:
        (B, H', W', h, w, C) with H' = (H + 2 * padding - h) // stride + 1, and W' alike.

    Raises:
        ValueError: the images do not have 4 axes or the window is larger than the padded images.
    """
    if images.ndim != 4 or min(images.shape[1] - window[0], images.shape[2] - window[1]) + 2 * padding < 0:
        raise ValueError(
            f"windows {window}: got images {images.shape} padded by {padding}, expected (B, H, W, C) as large"
        )
    border = (padding, padding)
    padded = np.pad(images, ((0, 0), border, border, (0, 0)), constant_values=fill)
    windows = sliding_window_view(padded, window, axis=(1, 2))[:, ::stride, ::stride]
    return windows.transpose(0, 1, 2, 4, 5, 3)


def fold(windows: Array, shape: tuple[int, ...], stride: int, padding: int) -> Array:
    """Add windows (B, H', W', h, w, C) up into images of `shape` (B, H, W, C): the transpose of `unfold`."""
    batch, height, width, channels = shape
    rows, columns = (stride * (count - 1) + 1 for count in windows.shape[1:3])
    padded = np.zeros((batch, height + 2 * padding, width + 2 * padding, channels))
    for i in range(windows.shape[3]):
        for j in range(windows.shape[4]):
            padded[:, i : i + rows : stride, j : j + columns : stride] += windows[:, :, :, i, j]
    return padded[:, padding : padding + height, padding : padding + width]


class ConvCache(NamedTuple):
    """The arrays and sizes that `conv_backward` needs.

    The windows are taken again rather than kept, for they are 9 times as large as the input.
    """

    inputs: Array
    kernel: Array
    has_bias: bool
    stride: int
    padding: int


def conv_forward(
    inputs: Array, kernel: Array, bias: Array | None = None, *, stride: int = 1, padding: int = 1
) -> tuple[Array, ConvCache]:
    """Cross-correlate images with a kernel (what both frameworks call a convolution), as one matrix product.

    Args:
        inputs: (B, H, W, in).
        kernel: (h, w, in, out), as in Flax; `torch.nn.Conv2d` stores (out, in, h, w).
        bias: (out,), or None.
        stride: step of the windows along both axes.
        padding: zeros added on each of the four sides, as in PyTorch. Flax's "SAME" is this padding for
            stride 1 and an odd kernel only: with stride 2 it may pad one side more than the other.

    Returns:
        The output, (B, H', W', out), sizes as in `unfold`; and the cache.

    Raises:
        ValueError: the inputs' channels are not the kernel's.
    """
    if inputs.shape[-1] != kernel.shape[2]:
        raise ValueError(
            f"conv: got inputs {inputs.shape}, expected (B, H, W, {kernel.shape[2]}) for kernel {kernel.shape}"
        )
    windows = unfold(inputs, kernel.shape[:2], stride, padding)
    output = _as_matrix(windows) @ kernel.reshape(-1, kernel.shape[3])
    if bias is not None:
        output += bias
    return output.reshape(*windows.shape[:3], -1), ConvCache(inputs, kernel, bias is not None, stride, padding)


def conv_backward(cotangent: Array, cache: ConvCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `conv_forward`: (B, H', W', out) to the inputs' (B, H, W, in) and `kernel`, `bias`."""
    kernel = cache.kernel
    windows = unfold(cache.inputs, kernel.shape[:2], cache.stride, cache.padding)
    rows = cotangent.reshape(-1, kernel.shape[3])
    gradients = {"kernel": (_as_matrix(windows).T @ rows).reshape(kernel.shape)}
    if cache.has_bias:
        gradients["bias"] = rows.sum(axis=0)
    spread = (rows @ kernel.reshape(-1, kernel.shape[3]).T).reshape(windows.shape)
    return fold(spread, cache.inputs.shape, cache.stride, cache.padding), gradients


def _as_matrix(windows: Array) -> Array:
    return windows.reshape(np.prod(windows.shape[:3]), -1)


class MaxPoolCache(NamedTuple):
    """The winners and sizes that `max_pool_backward` needs.

    Attributes:
        winner: place of each window's maximum, counted row by row, (B, H', W', C).
        shape: shape of the inputs, (B, H, W, C).
        window, stride, padding: the arguments of `max_pool_forward`.
    """

    winner: NDArray[np.intp]
    shape: tuple[int, ...]
    window: int
    stride: int
    padding: int


def max_pool_forward(
    inputs: Array, *, window: int = 3, stride: int = 2, padding: int = 1
) -> tuple[Array, MaxPoolCache]:
    """Take the maximum over square windows; the padding is -inf and so never wins over a finite input.

    Args:
        inputs: (B, H, W, C).
        window: side of the windows.
        stride: step of the windows along both axes.
        padding: width of the border on each of the four sides, at most half of the window, as in PyTorch.

    Returns:
        The output, (B, H', W', C), sizes as in `unfold` (the last, partial window is dropped, PyTorch's
        `ceil_mode=False`); and the cache.

    Raises:
        ValueError: the padding is more than half of the window.
    """
    if 2 * padding > window:
        raise ValueError(f"max-pool: got padding {padding}, expected at most half of the window, {window}")
    windows = unfold(inputs, (window, window), stride, padding, fill=-np.inf)
    candidates = windows.reshape(*windows.shape[:3], window * window, -1)
    winner = candidates.argmax(axis=3)
    output = np.take_along_axis(candidates, winner[:, :, :, None], axis=3)[:, :, :, 0]
    return output, MaxPoolCache(winner, inputs.shape, window, stride, padding)


def max_pool_backward(cotangent: Array, cache: MaxPoolCache) -> Array:
    """Differentiate `max_pool_forward`: (B, H', W', C) to the inputs' (B, H, W, C).

    Among equal maxima of a window the first in row-major order gets it all, as in PyTorch and XLA.
    """
    places = np.arange(cache.window**2)[:, None]
    routed = np.where(cache.winner[:, :, :, None] == places, cotangent[:, :, :, None], 0.0)
    windows = routed.reshape(*cotangent.shape[:3], cache.window, cache.window, -1)
    return fold(windows, cache.shape, cache.stride, cache.padding)
