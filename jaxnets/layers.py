"""Layers and initialisers of the twins, with every default spelled."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

Initializer = Callable[..., jax.Array]


def uniform(bound: float) -> Initializer:
    """Initialiser U(−bound, bound)."""

    def init(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def initializers(init: str, fan_in: int) -> tuple[Initializer, Initializer]:
    """Initialisers (kernel, bias) of a dense or convolutional layer.

    Args:
        init: "default" draws kernel and bias from U(−1/√fan_in, 1/√fan_in), as `torch.nn.Linear` and `Conv2d` do
            (differs from Flax's default, LeCun normal and zeros). "randn" draws the kernel from N(0, 0.1²) and
            sets the bias to 0, as the study's NumPy network does. "orthogonal" is "default" but for what
            `recurrent` makes; a network without any is the same in both.
        fan_in: inputs that one output sees.

    Raises:
        ValueError: `init` is none of them.
    """
    if init in ("default", "orthogonal"):
        return uniform(fan_in**-0.5), uniform(fan_in**-0.5)
    if init == "randn":
        return nnx.initializers.normal(0.1), nnx.initializers.zeros
    raise ValueError(f"init is {init!r}; expected 'default', 'randn' or 'orthogonal'")


def dense(in_features: int, out_features: int, *, bias: bool = True, init: str, rngs: nnx.Rngs) -> nnx.Linear:
    """Affine map (…, in) → (…, out); kernel (in, out)."""
    kernel_init, bias_init = initializers(init, in_features)
    return nnx.Linear(in_features, out_features, use_bias=bias, kernel_init=kernel_init, bias_init=bias_init, rngs=rngs)


def orthogonal(key: jax.Array, shape: tuple[int, int], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Initialiser of a kernel (H, k·H) whose k blocks (H, H) are orthogonal matrices, each uniform among all of them.

    The QR decomposition of a normal matrix is uniform (Haar) once R's diagonal is made positive. Source: Saxe et al.,
    https://arxiv.org/abs/1312.6120; Mezzadri, https://arxiv.org/abs/math-ph/0609050. Differs from
    `jax.nn.initializers.orthogonal`, which draws one matrix with orthonormal rows whatever its blocks are.
    """
    size, width = shape
    q, r = jnp.linalg.qr(jax.random.normal(key, (width // size, size, size), dtype))
    q = q * jnp.sign(jnp.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q.swapaxes(0, 1).reshape(shape)


def recurrent(hidden_size: int, *, gates: int, init: str, rngs: nnx.Rngs) -> nnx.Linear:
    """Affine map of a hidden state (B, H) → (B, gates·H); kernel (H, gates·H).

    With init "orthogonal" the kernel of each gate is a random orthogonal matrix and the bias is 0, so that the state
    keeps its norm where tanh is nearly linear.
    """
    if init == "orthogonal":
        kernel_init, bias_init = orthogonal, nnx.initializers.zeros
    else:
        kernel_init, bias_init = initializers(init, hidden_size)
    return nnx.Linear(
        hidden_size,
        gates * hidden_size,
        use_bias=True,
        kernel_init=kernel_init,
        bias_init=bias_init,
        rngs=rngs,
    )


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
    """Whether the kernel's gradient of a 3×3 convolution of x (B, H, W, in) is faster as nine products on the CPU."""
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
    kernel_init, bias_init = initializers(init, 9 * in_channels)
    return nnx.Conv(
        in_channels,
        out_channels,
        kernel_size=(3, 3),
        strides=(1, 1),
        padding=((1, 1), (1, 1)),
        use_bias=True,
        conv_general_dilated=convolve,
        kernel_init=kernel_init,
        bias_init=bias_init,
        rngs=rngs,
    )


class BatchNorm(nnx.Module):
    """Batch normalisation over all axes but the last, keeping the running variance that PyTorch keeps.

    Args:
        num_features: size C of the last axis.
        epsilon: added to the variance.
        momentum: the part of the running statistics that one training step *keeps* (PyTorch's momentum is 1 − this).
        rngs: unused; every Flax layer takes it.

    `scale` and `bias` are parameters (C,); `mean` and `var` are the running statistics (C,), updated when called with
    `use_running_average` False, which `model.train()` and `model.eval()` switch.

    Differs from `flax.nnx.BatchNorm`: `var` runs over the *unbiased* batch variance, n/(n−1) times the biased one that
    normalises, as in https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html; the variance is
    computed from deviations, not as E[x²] − E[x]², which cancels at large means; one value a channel is an error.

    Raises:
        ValueError: it is called in training with one value a channel, whose variance is undefined.
    """

    def __init__(self, num_features: int, *, epsilon: float, momentum: float, rngs: nnx.Rngs) -> None:
        del rngs
        self.scale = nnx.Param(jnp.ones(num_features))
        self.bias = nnx.Param(jnp.zeros(num_features))
        self.mean = nnx.BatchStat(jnp.zeros(num_features))
        self.var = nnx.BatchStat(jnp.ones(num_features))
        self.epsilon = epsilon
        self.momentum = momentum
        self.use_running_average = False

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise x (…, C)."""
        if self.use_running_average:
            mean, var = self.mean[...], self.var[...]
        else:
            mean, var = self.statistics(x)
            self.update(mean, var, x.size // x.shape[-1])
        return (x - mean) * jax.lax.rsqrt(var + self.epsilon) * self.scale[...] + self.bias[...]

    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and biased variance of the batch, each (C,)."""
        axes = tuple(range(x.ndim - 1))
        return x.mean(axes), x.var(axes)

    def update(self, mean: jax.Array, var: jax.Array, n: int) -> None:
        """Move the running statistics towards those of a batch of n values a channel."""
        if n < 2:
            raise ValueError(f"BatchNorm in training got {n} value a channel; expected at least 2")
        keep = self.momentum
        self.mean[...] = keep * self.mean[...] + (1 - keep) * mean
        self.var[...] = keep * self.var[...] + (1 - keep) * var * (n / (n - 1))


class Tanh(nnx.Module):
    """tanh of any shape, a module so that its output is seen by its path."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply tanh to x."""
        return jnp.tanh(x)


class MaxPool(nnx.Module):
    """Maximum over windows; (B, H, W, C) → (B, H′, W′, C), padded with −inf on all four sides.

    The gradient goes to the first of equal maxima, row by row, as in PyTorch; NaN is the maximum of any window that it
    is in.

    Differs from `flax.nnx.max_pool`, whose default stride is 1 and whose "SAME" pads the end only; and in its way: it
    is a maximum of strided slices, along W and then along H, which keeps the order of ties. The gradient on maps
    (32, 32, 32, 64) in float32 took 15 ms on 1 core, and 69.5 ms as XLA derives it from `reduce_window`.
    """

    def __init__(self, window: int, *, stride: int, padding: int) -> None:
        self.window = window
        self.stride = stride
        self.padding = padding

    def __call__(self, x: jax.Array) -> jax.Array:
        """Pool x (B, H, W, C)."""
        return self.along(self.along(x, axis=2), axis=1)

    def along(self, x: jax.Array, *, axis: int) -> jax.Array:
        """Maximum over the windows of one axis."""
        pads = [(self.padding, self.padding, 0) if i == axis else (0, 0, 0) for i in range(x.ndim)]
        x = jax.lax.pad(x, jnp.array(-jnp.inf, x.dtype), pads)
        end = (x.shape[axis] - self.window) // self.stride * self.stride + 1
        slices = [jax.lax.slice_in_dim(x, first, first + end, self.stride, axis) for first in range(self.window)]
        return reduce(first_maximum, slices)


def first_maximum(a: jax.Array, b: jax.Array) -> jax.Array:
    """The larger of each two numbers; of two equal ones the first, which also gets the whole gradient.

    Differs from `jnp.maximum`, which gives each half of it. NaN is larger than any number.
    """
    return jnp.where((b > a) | (b != b), b, a)


class Flatten(nnx.Module):
    """(B, H, W, C) → (B, C·H·W), channels first, so that the next kernel is that of `torch.nn.Flatten` on NCHW."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Flatten x (B, H, W, C); x (B, F) comes back as it is."""
        if x.ndim == 4:
            x = x.transpose(0, 3, 1, 2)
        return x.reshape(x.shape[0], -1)
