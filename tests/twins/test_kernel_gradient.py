"""The convolution whose kernel's gradient is nine products is the plain one, however it is differentiated."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from jaxnets.layers import convolution as layers
from parity.checks.referee import HighLow
from tests.backends.small import close, ruled_same

LAYOUT: dict[str, Any] = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
ARITHMETIC = (("precision", None), ("preferred_element_type", None))
SIZE = (2, 5, 7, 3, 4)
Function = Callable[[jax.Array, jax.Array], jax.Array]


def ours(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return layers.with_large_kernel_gradient(x, kernel, ARITHMETIC)


def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return layers._plain_convolution(x, kernel, ARITHMETIC)


def drawn(size: tuple[int, ...], seed: int = 0) -> tuple[NDArray, NDArray]:
    batch, height, width, inner, outer = size
    rng = np.random.default_rng(seed)
    return rng.standard_normal((batch, height, width, inner)), rng.standard_normal((3, 3, inner, outer))


def value(function: Function) -> Function:
    return lambda x, kernel: (jnp.sin(function(x, kernel)) ** 2).sum()


def gradients(function: Function, x: Any, kernel: Any) -> Any:
    return jax.grad(value(function), argnums=(0, 1))(x, kernel)


def only_kernel(function: Function, x: Any, kernel: Any) -> Any:
    return jax.grad(value(function), argnums=1)(x, kernel)


def only_input(function: Function, x: Any, kernel: Any) -> Any:
    return jax.grad(value(function), argnums=0)(x, kernel)


def forward_mode(function: Function, x: Any, kernel: Any) -> Any:
    return jax.jvp(function, (x, kernel), (jnp.cos(x), jnp.sin(kernel)))


def forward_in_kernel(function: Function, x: Any, kernel: Any) -> Any:
    return jax.jvp(lambda k: function(x, k), (kernel,), (jnp.sin(kernel),))


def vmapped(function: Function, x: Any, kernel: Any) -> Any:
    kernels = jnp.stack([kernel, 2 * kernel - 1])
    per_kernel = jax.vmap(jax.grad(value(function), argnums=1), (None, 0))(x, kernels)
    per_example = jax.vmap(jax.grad(value(function), argnums=1), (0, None))(x[:, None], kernel)
    return per_kernel, per_example


def hessian_product(function: Function, x: Any, kernel: Any) -> Any:
    return jax.jvp(jax.grad(value(function), argnums=1), (x, kernel), (jnp.cos(x), jnp.sin(kernel)))


def reverse_over_reverse(function: Function, x: Any, kernel: Any) -> Any:
    inner = jax.grad(value(function), argnums=1)
    return jax.grad(lambda x, k: (inner(x, k) ** 2).sum(), argnums=(0, 1))(x, kernel)


def linearized(function: Function, x: Any, kernel: Any) -> Any:
    out, linear = jax.linearize(function, x, kernel)
    return out, linear(jnp.cos(x), jnp.sin(kernel))


WAYS = [gradients, only_kernel, only_input, forward_mode, forward_in_kernel, vmapped, hessian_product,
        reverse_over_reverse, linearized]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_is_the_plain_convolution_in_every_way(way: Callable[..., Any]) -> None:
    with jax.enable_x64(True):
        high = [jax.tree.leaves(jax.jit(lambda *a, f=f: way(f, *a))(*drawn(SIZE))) for f in (ours, plain)]
    single = [array.astype(np.float32) for array in drawn(SIZE)]
    low = [jax.tree.leaves(jax.jit(lambda *a, f=f: way(f, *a))(*single)) for f in (ours, plain)]
    assert len(high[0]) == len(high[1]) > 0
    for own, other, own32, other32 in zip(*high, *low, strict=True):
        assert own.dtype == np.float64 and own32.dtype == np.float32 and own.shape == other.shape
        assert close(np.asarray(own), np.asarray(other))
        pairs = {
            "products": HighLow(np.asarray(own), np.asarray(own32)),
            "plain": HighLow(np.asarray(other), np.asarray(other32)),
        }
        assert ruled_same(pairs)


def test_a_wrong_tangent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = layers._nine_products
    monkeypatch.setattr(layers, "_nine_products", lambda x, k, arithmetic: right(x, k.at[0, 1].set(0), arithmetic))
    with jax.enable_x64(True):
        own, other = (only_kernel(f, *map(jnp.asarray, drawn(SIZE))) for f in (ours, plain))
    assert not close(np.asarray(own), np.asarray(other))


def test_it_is_used_where_it_wins_only() -> None:
    def uses(batch: int, side: int, inner: int, outer: int) -> bool:
        x, kernel = jax.ShapeDtypeStruct((batch, side, side, inner), np.float32), (3, 3, inner, outer)
        arguments = x, jax.ShapeDtypeStruct(kernel, np.float32)
        program = jax.make_jaxpr(lambda x, k: layers.convolve(x, k, (1, 1), ((1, 1), (1, 1)), **LAYOUT))(*arguments)
        return "custom_jvp_call" in str(program)

    assert uses(32, 32, 64, 64) and uses(8, 64, 64, 128)
    assert not uses(32, 32, 3, 64) and not uses(32, 16, 64, 128) and not uses(1, 32, 64, 64)


def test_off_the_cpu_the_gradient_is_a_convolution() -> None:
    x, kernel = (jax.ShapeDtypeStruct(shape, np.float32) for shape in ((32, 32, 32, 64), (3, 3, 64, 64)))
    gradient = jax.jit(jax.grad(lambda k, x: layers.with_large_kernel_gradient(x, k, ARITHMETIC).sum()))
    lowered = {p: gradient.trace(kernel, x).lower(lowering_platforms=(p,)).as_text() for p in ("cpu", "tpu")}
    assert lowered["cpu"].count("dot_general") == 9 and "dot_general" not in lowered["tpu"]
