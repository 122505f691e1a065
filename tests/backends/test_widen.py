"""Hard casts to a narrower type are found and undone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from parity.backends.flax.widen import casts, gelus, widened


def softmax(x):
    return jax.nn.softmax(x.astype(jnp.float32)).astype(x.dtype)


def scanned(x):
    return jax.lax.scan(lambda c, row: (c + softmax(row), c.astype(jnp.float32)), jnp.zeros(x.shape[1]), x)[0]


def branched(x):
    return jax.lax.cond(x.sum() > 0, softmax, lambda x: x.astype(jnp.bfloat16).astype(x.dtype), x)


def jitted(x):
    return jax.jit(softmax)(x) * jnp.arange(5, dtype=jnp.float32)


FUNCTIONS = [softmax, scanned, branched, jitted]
WIDE = {
    "softmax": lambda x: jax.nn.softmax(x),
    "scanned": lambda x: jax.nn.softmax(x).sum(0),
    "branched": lambda x: jnp.where(x.sum() > 0, jax.nn.softmax(x), x),
    "jitted": lambda x: jax.nn.softmax(x) * jnp.arange(5.0),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cast_is_found_and_undone_with_its_gradient(function) -> None:
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).standard_normal((3, 5)))
        assert list(casts(jax.make_jaxpr(function)(x).jaxpr))
        wide, plain = widened(function), WIDE[function.__name__]
        bound = 64 * np.finfo(np.float64).eps
        for of in (lambda f: f(x), lambda f: jax.jit(f)(x), lambda f: jax.grad(lambda x: (f(x) ** 2).sum())(x)):
            assert of(wide).dtype == jnp.float64
            assert np.abs(of(wide) - of(plain)).max() < bound < np.abs(of(function) - of(plain)).max()


def test_what_casts_nothing_has_no_casts() -> None:
    with jax.enable_x64(True):
        assert not list(casts(jax.make_jaxpr(lambda x: jax.nn.softmax(x))(jnp.ones(3)).jaxpr))


@pytest.mark.parametrize(("approximate", "form"), [(True, "tanh"), (False, "exact")])
def test_the_form_of_gelu_is_read_from_what_is_computed(approximate: bool, form: str) -> None:
    jaxpr = jax.make_jaxpr(jax.jit(lambda x: jnp.tanh(2 * jax.nn.gelu(x, approximate=approximate))))(jnp.ones(3)).jaxpr
    assert list(gelus(jaxpr)) == [form]
