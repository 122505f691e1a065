"""The 3×3 convolution, with every default spelled, and faster ways to compute it on the CPU."""

from functools import partial, reduce
from typing import Any

import jax
import jax.export
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers.initial import initializers


def convolve(x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: Any, **options: Any) -> jax.Array:
    """`jax.lax.conv_general_dilated`, but for two cases of a 3×3 convolution that XLA computes slowly on the CPU.

    On maps of 2×2 or less it is one matrix product: 512 → 512 channels, batch 8, float32, on 2 cores took 67 ms forward
    and 139 ms for forward and backward; the product over patches took 2 and 4 ms. Where `is_large` says so, the
    gradient of its kernel is nine matrix products; see `with_large_kernel_gradient`.
    """
    (height, width), defaults = x.shape[1:3], {"lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "feature_group_count": 1}
    plain = kernel.shape[:2] == (3, 3) and tuple(strides) == (1, 1) and tuple(padding) == ((1, 1), (1, 1))
    if not plain or any(options.get(name, default) != default for name, default in defaults.items()):
        return jax.lax.conv_general_dilated(x, kernel, strides, padding, **options)
    arithmetic = {key: options.get(key) for key in ("precision", "preferred_element_type")}
    if height * width <= 4:
        return jnp.matmul(jnp.concatenate(patches(x), -1), kernel.reshape(-1, kernel.shape[-1]), **arithmetic)
    if is_large(x, kernel):
        return with_large_kernel_gradient(x, kernel, tuple(arithmetic.items()))
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, **options)


LARGE_MAP, LARGE_PRODUCT = 32 * 32, 2**26
"""Pixels of a map, and batch times pixels times input times output channels, from where on the products are faster:
measured by `python -m benchmarks.kernel_gradient`, whose record has the times by shape. None of the study's VGG is
such: its only layer on 32×32 maps has three input channels."""


def is_large(x: jax.Array, kernel: jax.Array) -> bool:
    """Whether the kernel's gradient of a 3×3 convolution of x (B, H, W, in) is faster as nine products on the CPU.

    Of a batch whose size is open, in a program that is exported, it is not said.
    """
    if jax.export.is_symbolic_dim(x.shape[0]):
        return False
    pixels = x.shape[1] * x.shape[2]
    return bool(pixels >= LARGE_MAP and x.shape[0] * pixels * kernel.shape[2] * kernel.shape[3] >= LARGE_PRODUCT)


def patches(x: jax.Array) -> list[jax.Array]:
    """What each of a 3×3 kernel's nine places sees of x (B, H, W, C), padded by 1; nine arrays (B, H, W, C)."""
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [padded[:, i : i + x.shape[1], j : j + x.shape[2]] for i in range(3) for j in range(3)]


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def with_large_kernel_gradient(x: jax.Array, kernel: jax.Array, arithmetic: tuple[tuple[str, Any], ...]) -> jax.Array:
    """A 3×3 convolution, stride 1, padding 1, of x (B, H, W, in) whose tangent in the kernel is nine matrix products.

    Transposed, the tangent is the kernel's gradient: nine products of (in, B·H·W) with (B·H·W, out), which XLA on the
    CPU computes faster than the convolution that it derives. 32×32 maps, 64 → 64 channels, batch 32, float32, on 1 core
    (processor time, while others used the machine): 0.68 s as XLA derives it, 0.20 s as products.

    Since it is the tangent that is written and not the gradient, forward mode, `vmap` and higher derivatives are JAX's
    own. Elsewhere than on the CPU the tangent is the convolution.

    Args:
        x, kernel: arrays of one floating dtype; x (B, H, W, in) and kernel (3, 3, in, out).
        arithmetic: precision and preferred_element_type, by name, as `jax.lax.conv_general_dilated` takes them.
    """
    return _plain_convolution(x, kernel, arithmetic)


@partial(with_large_kernel_gradient.defjvp, symbolic_zeros=True)
def _tangent(arithmetic: tuple[tuple[str, Any], ...], primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, kernel), (dx, dkernel) = primals, tangents
    out = _plain_convolution(x, kernel, arithmetic)
    known = [not isinstance(tangent, jax.custom_derivatives.SymbolicZero) for tangent in (dx, dkernel)]
    parts = [_plain_convolution(dx, kernel, arithmetic)] if known[0] else []
    if known[1]:
        products = partial(_nine_products, arithmetic=arithmetic)
        convolution = partial(_plain_convolution, arithmetic=arithmetic)
        parts.append(jax.lax.platform_dependent(x, dkernel, cpu=products, default=convolution))
    return out, sum(parts[1:], parts[0]) if parts else jnp.zeros_like(out)


def _plain_convolution(x: jax.Array, kernel: jax.Array, arithmetic: tuple[tuple[str, Any], ...]) -> jax.Array:
    layout, ones = ("NHWC", "HWIO", "NHWC"), ((1, 1), (1, 1))
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), ones, dimension_numbers=layout, **dict(arithmetic))


def _nine_products(x: jax.Array, kernel: jax.Array, arithmetic: tuple[tuple[str, Any], ...]) -> jax.Array:
    kernels = kernel.reshape(9, *kernel.shape[2:])
    return reduce(jnp.add, (jnp.matmul(p, k, **dict(arithmetic)) for p, k in zip(patches(x), kernels, strict=True)))


def conv3x3(in_channels: int, out_channels: int, *, init: str, rngs: nnx.Rngs) -> nnx.Conv:
    """3×3 convolution, stride 1, padding 1, with bias; (B, H, W, in) → (B, H, W, out); kernel (3, 3, in, out)."""
    return conv(in_channels, out_channels, size=3, stride=1, padding=1, bias=True, init=init, rngs=rngs)


def conv(
    in_channels: int,
    out_channels: int,
    *,
    size: int,
    stride: int,
    padding: int,
    bias: bool,
    init: str,
    rngs: nnx.Rngs,
) -> nnx.Conv:
    """Convolution of square windows; (B, H, W, in) → (B, H′, W′, out); kernel (size, size, in, out).

    Args:
        in_channels, out_channels: channels of the input and of the output.
        size: height and width of the windows.
        stride: step of the windows along both axes.
        padding: zeros on each of the four sides. Differs from "SAME", which for a stride of 2 pads one side more.
        bias: whether a bias is added.
        init: name of the initial distribution, see `initializers`.
        rngs: source of the initial weights.
    """
    kernel_init, bias_init = initializers(init, size * size * in_channels)
    return nnx.Conv(
        in_channels,
        out_channels,
        kernel_size=(size, size),
        strides=(stride, stride),
        padding=((padding, padding), (padding, padding)),
        use_bias=bias,
        conv_general_dilated=convolve,
        kernel_init=kernel_init,
        bias_init=bias_init,
        rngs=rngs,
    )


def conv_transpose(
    in_channels: int, out_channels: int, *, size: int, stride: int, padding: int, init: str, rngs: nnx.Rngs
) -> nnx.ConvTranspose:
    """Transposed convolution of square windows; (B, H, W, in) → (B, H′, W′, out); kernel (size, size, out, in).

    It is the gradient of a convolution of that stride and padding, as in PyTorch: H′ = (H − 1)·stride − 2·padding +
    size. Differs from `nnx.ConvTranspose`, which does not turn the kernel round by default, and whose padding is
    that of the input once it is spread out.

    Args:
        in_channels, out_channels: channels of the input and of the output.
        size: height and width of the windows.
        stride: step of the windows along both axes.
        padding: zeros that the convolution has on each of the four sides.
        init: name of the initial distribution, see `initializers`.
        rngs: source of the initial weights.
    """
    kernel_init, bias_init = initializers(init, size * size * out_channels)
    return nnx.ConvTranspose(
        in_channels,
        out_channels,
        kernel_size=(size, size),
        strides=(stride, stride),
        padding=((size - 1 - padding, size - 1 - padding), (size - 1 - padding, size - 1 - padding)),
        use_bias=True,
        transpose_kernel=True,
        kernel_init=kernel_init,
        bias_init=bias_init,
        rngs=rngs,
    )
