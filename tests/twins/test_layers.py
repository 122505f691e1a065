"""jaxnets' convolution, pool and flatten; torchnets' convolution."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from jaxnets.layers import Flatten, MaxPool, convolve
from tests.backends.small import close
from torchnets.layers import conv3x3

ONES = ((1, 1), (1, 1))
LAYOUT: dict[str, Any] = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
MAPS = [(1, 1), (2, 2), (1, 4), (3, 1), (3, 3)]


def outcome(function: Callable[..., jax.Array], x: Any, kernel: Any, *options: Any, **keywords: Any) -> list[Any]:
    """The convolution and its gradients along a random cotangent."""

    def run(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return function(x, kernel, *options, **LAYOUT, **keywords)

    @jax.jit
    def both_ways(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, ...]:
        y, pullback = jax.vjp(run, x, kernel)
        return y, *pullback(jnp.asarray(np.random.default_rng(1).standard_normal(y.shape)))

    return [np.asarray(array) for array in both_ways(x, kernel)]


def arguments(size: tuple[int, int], window: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((2, *size, 5)), rng.standard_normal((window, window, 5, 7))


@pytest.mark.parametrize("size", MAPS)
def test_convolve_is_laxs_convolution(size) -> None:
    with jax.enable_x64(True):
        ours = outcome(convolve, *arguments(size), (1, 1), ONES)
        theirs = outcome(jax.lax.conv_general_dilated, *arguments(size), (1, 1), ONES)
    assert all(close(a, b) for a, b in zip(ours, theirs, strict=True))
    assert ours[0].shape == (2, *size, 7) and ours[0].dtype == np.float64


@pytest.mark.parametrize(
    ("window", "strides", "padding"),
    [(3, (2, 2), ONES), (3, (1, 1), "SAME"), (1, (1, 1), ONES), (3, (1, 1), ((1, 2), (1, 1)))],
)
def test_other_convolutions_on_small_maps_are_laxs_too(window, strides, padding) -> None:
    with jax.enable_x64(True):
        ours = outcome(convolve, *arguments((2, 2), window), strides, padding)
        theirs = outcome(jax.lax.conv_general_dilated, *arguments((2, 2), window), strides, padding)
    assert all(close(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("size", MAPS)
def test_small_maps_are_a_matrix_product(size) -> None:
    program = str(jax.make_jaxpr(lambda x, k: convolve(x, k, (1, 1), ONES, **LAYOUT))(*arguments(size)))
    assert ("conv_general_dilated" in program) == (size[0] * size[1] > 4)


def test_a_dilated_convolution_on_a_small_map_is_laxs() -> None:
    ours = outcome(convolve, *arguments((2, 2)), (1, 1), ONES, rhs_dilation=(2, 1))
    theirs = outcome(jax.lax.conv_general_dilated, *arguments((2, 2)), (1, 1), ONES, rhs_dilation=(2, 1))
    assert ours[0].shape == theirs[0].shape


def convolved(layer: torch.nn.Conv2d, x: torch.Tensor, function: Callable[..., Any]) -> list[torch.Tensor]:
    """The convolution and its gradients along a random cotangent."""
    y = function(x)
    cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype)
    return [y, *torch.autograd.grad(y, (x, *layer.parameters()), cotangent)]


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", MAPS)
def test_pytorchs_convolution_is_conv2d(size, memory) -> None:
    layer: Any = conv3x3(5, 7, init="default", generator=torch.Generator().manual_seed(0)).double()
    layer.to(memory_format=memory)
    x = torch.tensor(arguments(size)[0]).movedim(-1, 1).to(memory_format=memory).requires_grad_()
    ours, theirs = convolved(layer, x, layer), convolved(layer, x, super(type(layer), layer).forward)
    assert all(torch.allclose(a, b, rtol=1e-13, atol=1e-13) for a, b in zip(ours, theirs, strict=True))
    assert ours[0].shape == (2, 7, *size)
    used = {node.name() for node in _nodes(ours[0].grad_fn)}
    assert ("ConvolutionBackward0" in used) == (size[0] * size[1] > 4)


def _nodes(node: Any) -> list[Any]:
    return [node, *(below for after, _ in node.next_functions if after is not None for below in _nodes(after))]


POOLS = [(3, 2, 1), (2, 2, 0), (3, 1, 1)]
SIZES = [(5, 5), (6, 6), (7, 2)]


def pooled(pool: tuple[int, int, int], x: np.ndarray) -> tuple[list[Any], list[Any]]:
    """Outputs and gradients of both frameworks, NHWC."""
    window, stride, padding = pool

    @jax.jit
    def both_ways(x: jax.Array) -> tuple[jax.Array, ...]:
        y, pullback = jax.vjp(MaxPool(window, stride=stride, padding=padding), x)
        cotangent = jnp.asarray(np.random.default_rng(1).integers(-9, 9, y.shape).astype(np.float32))
        return y, cotangent, *pullback(cotangent)

    y, cotangent, pulled = (np.array(array) for array in both_ways(x))
    theirs = torch.tensor(x).permute(0, 3, 1, 2).contiguous().requires_grad_()
    out = torch.nn.MaxPool2d(window, stride=stride, padding=padding)(theirs)
    (gradient,) = torch.autograd.grad(out, theirs, torch.tensor(cotangent).permute(0, 3, 1, 2))
    back = [tensor.detach().permute(0, 2, 3, 1).numpy() for tensor in (out, gradient)]
    return [y, pulled], back


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("size", SIZES)
def test_max_pool_is_pytorchs(pool, size) -> None:
    x = -1 - np.random.default_rng(0).random((2, *size, 3), np.float32)  # negative: padding must not win
    ours, theirs = pooled(pool, x)
    assert np.array_equal(ours[0], theirs[0]) and np.array_equal(ours[1], theirs[1])
    assert ours[0].max() < 0 and np.abs(ours[1]).max() > 0


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("size", SIZES)
def test_of_tied_numbers_the_same_one_gets_the_gradient(pool, size) -> None:
    x = np.random.default_rng(0).integers(0, 2, (4, *size, 3)).astype(np.float32)
    x[0] = 1
    ours, theirs = pooled(pool, x)
    assert np.array_equal(ours[1], theirs[1])


def test_flatten_is_pytorchs_on_channels_first() -> None:
    x = np.arange(2 * 3 * 5 * 7, dtype=np.float32).reshape(2, 3, 5, 7)
    expected = torch.nn.Flatten()(torch.tensor(x).permute(0, 3, 1, 2)).numpy()
    assert np.array_equal(Flatten()(jnp.asarray(x)), expected)
    assert not np.array_equal(x.reshape(2, -1), expected)
    assert np.array_equal(Flatten()(jnp.asarray(x[:, :, 0, 0])), x[:, :, 0, 0])
