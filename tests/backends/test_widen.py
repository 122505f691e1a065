"""A program that is traced as its user runs it and evaluated in float64 is the program that was written."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from parity.backends.flax.traced import Traced, types_of, widened
from parity.backends.flax.tracing.places import casts, gelus, unwidened

X = np.random.default_rng(0).standard_normal((4, 6))
ROUNDING = 256 * np.finfo(np.float64).eps


def in_float64(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
    """What it gives, and the gradient of a sum of all that is floating in it."""

    def total(first: Any, *rest: Any) -> Any:
        results = [leaf for leaf in jax.tree.leaves(function(first, *rest)) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
        return sum((jnp.abs(leaf) ** 2 * jnp.cos(jnp.arange(leaf.size)).reshape(leaf.shape)).sum() for leaf in results)

    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        arguments = tuple(map(jnp.asarray, arguments))
        return jax.jit(function)(*arguments), jax.jit(jax.grad(total))(*arguments)


def gap(first: Any, second: Any) -> float:
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


def assert_widened(function: Callable[..., Any], written: Callable[..., Any], *arguments: Any) -> None:
    """The function of float32 evaluated in float64 is the one that is written in float64."""
    found, expected = in_float64(widened(function), *arguments), in_float64(written, *arguments)
    dtypes = {leaf.dtype.name for leaf in jax.tree.leaves(found)}
    assert dtypes <= {"float64", "complex128", "int32", "bool"}
    assert gap(found, expected) < ROUNDING


def single(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a floating type, in float32 whatever it is given."""
    return lambda x: function(x, jnp.float32)


def double(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(x, jnp.float64)


def _norm(x: Any, dtype: Any) -> Any:
    y = x.astype(dtype)
    return (y * jax.lax.rsqrt((y**2).mean(-1, keepdims=True) + 1e-5)).astype(x.dtype)


def _cache(x: Any, dtype: Any) -> Any:
    place = jnp.zeros((), jnp.int32) + 2
    return jax.lax.dynamic_update_slice(jnp.zeros((8, 6), dtype), x.astype(dtype), (place, jnp.int32(0)))


def _frequencies(x: Any, dtype: Any) -> Any:
    table = jnp.exp(jnp.arange(6, dtype=dtype) * -(np.log(10000) / 5))
    return jnp.sin(x * table) + x / np.sqrt(7.0) * jnp.linspace(0, 1, 6, dtype=dtype)


def _recurrent(x: Any, dtype: Any) -> Any:
    def step(carry: Any, row: Any) -> Any:
        state, count = carry
        state = 0.9 * state + jnp.tanh(row.astype(dtype))
        return (state, count + 1), state.sum() * 0.1

    return jax.lax.scan(step, (jnp.zeros(6, dtype), 0), x, reverse=True, unroll=2)


def _repeated(x: Any, dtype: Any) -> Any:
    return jax.lax.fori_loop(0, 3, lambda i, y: 1.1 * y + jnp.sin(x.astype(dtype)) * i, jnp.full(x.shape, 0.3, dtype))


def _branched(x: Any, dtype: Any) -> Any:
    first = jax.lax.cond(x.sum() > 100, lambda y: 0.1 * y, lambda y: jax.nn.relu(y) * 0.2, x.astype(dtype))
    return jax.lax.switch(jnp.int32(1), [lambda y: y, lambda y: jax.nn.softplus(0.3 * y)], first)


def _nested(x: Any, dtype: Any) -> Any:
    inner = jax.checkpoint(jax.jit(lambda y: jax.nn.gelu(y.astype(dtype)) + jax.nn.gelu(y.astype(dtype), False)))
    return jax.vmap(jax.jit(inner))(x)


def _indexed(x: Any, dtype: Any) -> Any:
    y = x.astype(dtype)
    y = y.at[jnp.array([0, 2])].add(0.1).at[1].multiply(0.3).at[0].max(0.2).at[3].set(0.7)
    return y[jnp.array([3, 2, 1, 0])] + jnp.take(y, jnp.argmax(x, -1), 1).sum() + jax.lax.top_k(y, 6)[0]


def _windows(x: Any, dtype: Any) -> Any:
    y = x.astype(dtype)
    pooled = jax.lax.reduce_window(y, 0.0, jax.lax.add, (2, 2), (1, 1), "SAME") / 4
    own = jax.lax.reduce(y, np.zeros((), dtype), lambda a, b: a + b, (0,))
    kernel = jnp.full((1, 1, 2, 2), 0.1, dtype)
    image = jax.lax.conv_general_dilated(y[None, None], kernel, (1, 1), "SAME", preferred_element_type=dtype)
    return pooled + own + image[0, 0] + jnp.cumsum(y, 0) + jnp.sort(y)


def _solved(x: Any, dtype: Any) -> Any:
    y = x.astype(dtype)
    square = y @ y.T + jnp.eye(4, dtype=dtype)
    iterated = jax.scipy.sparse.linalg.cg(lambda v: 2 * v + 0.1 * jnp.roll(v, 1) + 0.1 * jnp.roll(v, -1), y[0])[0]
    return jnp.linalg.solve(square, y) + jnp.linalg.cholesky(square).sum() + iterated


def _spectrum(x: Any, dtype: Any) -> Any:
    return jnp.fft.irfft(jnp.fft.rfft(x.astype(dtype)) * (1 + 0.1j)) + jax.scipy.special.erfinv(jnp.tanh(x))


@jax.custom_vjp
def _scaled(x: Any, times: int) -> Any:
    return jnp.sin(x) * times


_scaled.defvjp(
    lambda x, times: (_scaled(x, times), (x, times)), lambda kept, g: (0.3 * g * jnp.cos(kept[0]) * kept[1], None)
)


@jax.custom_jvp
def _rounded(x: Any) -> Any:
    return jnp.round(3 * x) / 3


_rounded.defjvp(lambda primals, tangents: (_rounded(primals[0]), 0.7 * tangents[0]))


def _own_derivatives(x: Any, dtype: Any) -> Any:
    y = x.astype(dtype)
    return _scaled(y, 2) + _rounded(y) + jax.grad(lambda z: (jax.nn.relu(z) ** 3 * 0.1).sum())(y)


PROGRAMS = [
    _norm,
    _cache,
    _frequencies,
    _recurrent,
    _repeated,
    _branched,
    _nested,
    _indexed,
    _windows,
    _solved,
    _spectrum,
    _own_derivatives,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__.strip("_"))
def test_a_program_of_float32_is_evaluated_in_float64(program: Callable[..., Any]) -> None:
    assert_widened(single(program), double(program), X)


def test_the_values_and_not_the_mode_are_wider() -> None:
    """With 64 bits switched on this raises: Python's whole numbers are int64 beside an int32."""

    def written(x: Any) -> Any:
        return jax.lax.dynamic_update_slice(jnp.zeros((8, 6)), x, (jnp.zeros((), jnp.int32), 0))

    found, _ = in_float64(widened(written), X)
    assert np.array_equal(found, np.concatenate([X, np.zeros((4, 6))]))


def test_a_loop_of_unknown_length_is_evaluated() -> None:
    def halved(x: Any) -> Any:
        return jax.lax.while_loop(lambda c: jnp.abs(c[0]).max() > 0.01, lambda c: (c[0] * 0.3, c[1] + 1), (x, 0))

    with jax.enable_x64(True):
        (found, turns), (expected, same) = jax.jit(widened(halved))(jnp.asarray(X)), halved(jnp.asarray(X))
    assert found.dtype == jnp.float64 and turns.dtype == jnp.int32
    assert int(turns) == int(same) > 2 and gap(found, expected) < ROUNDING


@pytest.mark.parametrize(
    "cast",
    [
        lambda x: x.astype(jnp.bfloat16).astype(x.dtype),
        lambda x: jax.lax.reduce_precision(x, 5, 10),
        lambda x: jax.lax.scan(lambda c, row: (c, row.astype(jnp.float16)), 0, x)[1].astype(x.dtype),
    ],
)
def test_a_cast_to_a_narrower_type_does_nothing_and_is_told_with_its_line(cast: Callable[..., Any]) -> None:
    assert_widened(cast, lambda x: x, X)
    (told,) = casts(Traced(cast, *types_of((X,))).closed.jaxpr)
    assert told.dtype in ("bfloat16", "float16")
    assert told.place.startswith("test_widen.py:")


def test_what_casts_nothing_has_no_casts() -> None:
    for function in (jax.nn.softmax, lambda x: x.astype(jnp.float32), lambda x: (x > 0).astype(jnp.bfloat16)):
        assert not list(casts(Traced(function, *types_of((X,))).closed.jaxpr))


DRAWS: dict[str, Callable[[Any], Any]] = {
    "uniform": lambda key: jax.random.uniform(key, (50,)),
    "normal": lambda key: jax.random.normal(key, (50,)),
    "bernoulli": lambda key: jax.random.bernoulli(key, 0.3, (50,)),
    "gamma": lambda key: jax.random.gamma(key, 2.0, (50,)),
    "permutation": lambda key: jax.random.permutation(key, 50),
    "categorical": lambda key: jax.random.categorical(key, jnp.arange(9.0), shape=(50,)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_random_draws_stay_the_ones_that_the_user_gets(name: str) -> None:
    plain = DRAWS[name](jax.random.key(3))
    with jax.enable_x64(True):
        wide = jax.jit(widened(lambda x: DRAWS[name](jax.random.key(3)) + x))(jnp.zeros(()))
    assert np.abs(np.asarray(wide) - np.asarray(plain)).max() < 1e-4  # the tails of a float32 number are coarse


def test_complex_numbers_and_their_literals_are_widened() -> None:
    def written(z: Any) -> Any:
        return z * (0.1 + 0.2j) + jnp.exp(z) * 1j + jnp.abs(z)

    z = X[0] + 1j * X[1]
    assert_widened(written, written, z)


@pytest.mark.parametrize("number", [0.1, 1e-5, np.float64(1) / 3, np.log(10000) / 15, np.pi**3, np.float64(np.sqrt(7))])
@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda x, number: x * number, lambda x, number: x * number),
        (lambda x, number: jnp.where(x > 0, x, number), lambda x, number: np.where(x > 0, x, number)),
        (lambda x, number: jnp.full_like(x, number), lambda x, number: np.full_like(x, number)),
        (lambda x, number: jnp.array(number, jnp.float32) - x, lambda x, number: number - x),
        (lambda x, number: jax.jit(lambda y: jnp.maximum(y, number))(x), np.maximum),
    ],
)
def test_a_literal_is_the_number_that_was_written(number: Any, use: Any, expected: Any) -> None:
    found, _ = in_float64(widened(lambda x: use(x, number)), X)
    assert gap(found, expected(X, float(number))) < ROUNDING


def test_single_precision_of_numpy_is_read_by_its_decimals_or_formula() -> None:
    numbers = {"0.1": 0.1, "tenth": 1e-5, "third": 1 / 3, "root": np.sqrt(2 / np.pi), "log": np.log(2 * np.pi) / 2}
    for number in numbers.values():
        found, _ = in_float64(widened(lambda x, number=number: x * np.float32(number)), X)
        assert gap(found, X * number) < ROUNDING


def test_tables_that_were_typed_are_decimals_and_others_stay_as_they_are() -> None:
    typed, computed = np.array([0.1, 0.25, -3e-5], np.float32), np.cos(np.arange(3, dtype=np.float32))
    for table, expected in ((typed, [0.1, 0.25, -3e-5]), (computed, computed.astype(np.float64))):
        constant = jnp.asarray(table)

        def used(x: Any, constant: Any = constant) -> Any:
            return x * constant

        with jax.enable_x64(True):
            found = jax.jit(widened(used))(jnp.ones(3))
            (known,) = Traced(used, *types_of((np.ones(3),))).tables()
        assert np.array_equal(found, expected)
        assert np.array_equal(known.array, expected) and np.array_equal(known.array.astype(np.float32), table)
        assert known.place.startswith("test_widen.py:")


def test_what_cannot_be_widened_is_told_and_runs() -> None:
    def called(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x) * 0.1

    def bits(x: Any) -> Any:
        return jax.lax.bitcast_convert_type(jax.lax.bitcast_convert_type(x, jnp.int32) + 1, jnp.float32)

    for function in (called, bits):
        (told,) = unwidened(Traced(function, *types_of((X,))).closed.jaxpr)
        assert "test_widen.py:" in told
        with jax.enable_x64(True):
            found: NDArray[Any] = np.asarray(jax.jit(widened(function))(jnp.asarray(X)))
        assert found.dtype == np.float64
        assert np.abs(found - np.asarray(function(jnp.asarray(X, jnp.float32)))).max() < 1e-6
    assert not list(unwidened(Traced(jnp.signbit, *types_of((X,))).closed.jaxpr))


@pytest.mark.parametrize(("approximate", "form"), [(True, "tanh"), (False, "exact")])
def test_the_form_of_gelu_is_read_from_what_is_computed(approximate: bool, form: str) -> None:
    jaxpr = jax.make_jaxpr(jax.jit(lambda x: jnp.tanh(2 * jax.nn.gelu(x, approximate=approximate))))(jnp.ones(3)).jaxpr
    assert list(gelus(jaxpr)) == [form]


def test_jax_is_left_as_it_was() -> None:
    before = jnp.array, jax.random.bernoulli, jax.config.values["jax_enable_x64"]
    Traced(lambda x: x * 0.1, *types_of((X,)))
    assert before == (jnp.array, jax.random.bernoulli, jax.config.values["jax_enable_x64"])
    assert float(jnp.asarray(np.float64(0.1))) == float(np.float32(0.1))
