"""Convolutions in float64 that XLA computes fast on CPUs, whatever it compiles them with.

XLA has a library for convolutions of float64, but not for those of dilated images: transposed convolutions, and the
gradients of strided ones by their images. For these it writes plain loops, which take forty times as long where LLVM
does not optimise them, as in the programs of a check. Here an image is dilated first and convolved then.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

Convolution = Callable[[jax.Array, jax.Array], jax.Array]


def convolved(image: jax.Array, kernel: jax.Array, params: Mapping[str, Any]) -> jax.Array:
    """The convolution of an image with a kernel.

    Args:
        image, kernel: the operands, of one floating type.
        params: the parameters of JAX's primitive.
    """
    dilation, axes = params["lhs_dilation"], params["dimension_numbers"].lhs_spec[2:]
    if any(step > 1 for step in dilation):
        image = spread(image, axes, dilation)
    return _strided({**params, "lhs_dilation": (1,) * len(dilation)})(image, kernel)


def spread(
    array: jax.Array, axes: Sequence[int], steps: Sequence[int], shape: Sequence[int] | None = None
) -> jax.Array:
    """The array with zeros between its numbers along those axes, and behind them up to the shape, if there is one."""
    gaps = [0] * array.ndim
    for axis, step in zip(axes, steps, strict=True):
        gaps[axis] = step - 1
    sizes = [(n - 1) * (gap + 1) + 1 if n else 0 for n, gap in zip(array.shape, gaps, strict=True)]
    behind = [0] * array.ndim if shape is None else [wanted - n for wanted, n in zip(shape, sizes, strict=True)]
    return jax.lax.pad(array, jnp.zeros((), array.dtype), [(0, *each) for each in zip(behind, gaps, strict=True)])


def _strided(params: Mapping[str, Any]) -> Convolution:
    """The convolution; if it has strides, with a gradient by its image that convolves no dilated one."""
    convolve: Convolution = partial(jax.lax.conv_general_dilated, **params)
    strides = params["window_strides"]
    if all(step == 1 for step in strides) or params["batch_group_count"] > 1:
        return convolve
    dense: Convolution = partial(jax.lax.conv_general_dilated, **{**params, "window_strides": (1,) * len(strides)})

    def forward(image: jax.Array, kernel: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        return convolve(image, kernel), (image, kernel)

    def backward(saved: tuple[jax.Array, jax.Array], cotangent: jax.Array) -> tuple[jax.Array, jax.Array]:
        image, kernel = saved
        shape = jax.eval_shape(dense, image, kernel).shape
        wide = spread(cotangent, params["dimension_numbers"].out_spec[2:], strides, shape)
        (by_image,) = jax.linear_transpose(lambda image: dense(image, kernel), image)(wide)
        (by_kernel,) = jax.linear_transpose(lambda kernel: convolve(image, kernel), kernel)(cotangent)
        return by_image, by_kernel

    convolution = jax.custom_vjp(convolve)
    convolution.defvjp(forward, backward)
    return convolution
