"""A cast to half precision inside one network only is no pass: the formula is the same, its float32 is not."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(1).standard_normal((4, 6)).astype(np.float32)


class Port(nn.Module):
    """Two dense layers; the first may compute in another dtype, or what is between them be cast."""

    dtype: Any = None
    cast: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(8, dtype=self.dtype, name="first")(x)
        x = x.astype(self.cast).astype(jnp.float32) if self.cast else x.astype(jnp.float32)
        return nn.Dense(3, name="last")(nn.relu(x))


class Original(torch.nn.Module):
    """Its twin, which may cast at the same place."""

    def __init__(self, cast: torch.dtype | None = None) -> None:
        super().__init__()
        self.first, self.last, self.cast = torch.nn.Linear(6, 8), torch.nn.Linear(8, 3), cast

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        x = x.to(self.cast).float() if self.cast else x
        return self.last(torch.relu(x))


def compared(port: Port, original: Original, **checks: Any) -> Report:
    """The report on the two, without probes."""
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), original, X, checks=parity.Checks(probes=False, **checks))


@pytest.mark.parametrize(
    ("port", "original", "side", "dtype"),
    [
        (Port(cast=jnp.bfloat16), Original(), "Flax", "bfloat16"),
        (Port(dtype=jnp.float16), Original(), "Flax", "float16"),
        (Port(), Original(torch.bfloat16), "PyTorch", "bfloat16"),
        (Port(), Original(torch.float16), "PyTorch", "float16"),
    ],
)
def test_half_precision_inside_one_side_is_a_difference_that_is_named(
    port: Port, original: Original, side: str, dtype: str
) -> None:
    report = compared(port, original)
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    words = report.first_difference.text
    assert (
        words.startswith(f"same formula, computed in {dtype} at test_computed_dtype.py:") and f"in {side} only" in words
    )
    assert [(c.name, c.confirmed) for c in report.conventions] == [("computed_dtype", True)]


def test_it_can_be_accepted() -> None:
    assert compared(Port(cast=jnp.bfloat16), Original(), accept=["computed_dtype"]).verdict is Verdict.SAME


def test_the_same_cast_in_both_is_no_difference() -> None:
    assert compared(Port(cast=jnp.bfloat16), Original(torch.bfloat16)).verdict is Verdict.SAME


def test_a_network_that_is_kept_in_the_dtype_computes_in_it_too() -> None:
    class Kept(nn.Module):
        """Casts its input to bfloat16, in which it keeps its parameters."""

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            short: dict[str, Any] = {"dtype": jnp.bfloat16, "param_dtype": jnp.bfloat16}
            x = nn.relu(nn.Dense(8, name="first", **short)(x.astype(jnp.bfloat16)))
            return nn.Dense(3, name="last", **short)(x)

    port, original = Kept(), Original().to(torch.bfloat16)
    report = parity.compare((port, port.init(jax.random.key(0), X)), original, X, checks=parity.Checks(probes=False))
    assert report.verdict.passes


class HalfGELU(nn.Module):
    """A GELU in bfloat16, to which JAX rounds the constants of its formula too."""

    approximate: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.gelu(nn.Dense(8, name="first")(x).astype(jnp.bfloat16), self.approximate)
        return nn.Dense(3, name="last")(y.astype(jnp.float32))


class TorchHalfGELU(Original):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.nn.functional.gelu(self.first(x).bfloat16(), approximate=self.form).float())


@pytest.mark.parametrize("approximate", [False, True])
@pytest.mark.parametrize("form", ["none", "tanh"])
def test_a_gelu_in_half_precision_is_known_by_its_form(approximate: bool, form: str) -> None:
    port = HalfGELU(approximate)
    checks = parity.Checks(probes=False)
    report = parity.compare((port, port.init(jax.random.key(0), X)), TorchHalfGELU(form), X, checks=checks)
    assert (report.verdict is Verdict.SAME) is (approximate == (form == "tanh")), report.first_difference


def test_a_cast_that_loses_nothing_is_no_difference() -> None:
    class Halved(Original):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            half = torch.tensor(0.5).to(torch.bfloat16)
            return self.last(torch.relu(self.first(x)) * half.float() * 2)

    assert compared(Port(), Halved()).verdict is Verdict.SAME


class Called(nn.Module):
    """Calls NumPy between its layers, which has to be in float32."""

    function: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(8, name="first")(x)
        x = jax.pure_callback(
            lambda a: np.asarray(self.function(np.asarray(a))), jax.ShapeDtypeStruct(x.shape, x.dtype), x
        )
        return nn.Dense(3, name="last")(x)


class Tanh(Original):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x)))


@pytest.mark.parametrize(("function", "verdict"), [(np.tanh, Verdict.INCONCLUSIVE), (np.sin, Verdict.DIFFERENT)])
def test_what_cannot_be_computed_in_float64_is_not_ruled_on_where_its_rounding_explains_the_gap(
    function: Any, verdict: Verdict
) -> None:
    port = Called(function)
    checks = parity.Checks(probes=False)
    report = parity.compare((port, port.init(jax.random.key(0), X)), Tanh(), X, checks=checks)
    assert report.rungs[1].verdict is verdict
    assert ("pure_callback at test_computed_dtype.py" in report.rungs[1].reason) is (verdict is Verdict.INCONCLUSIVE)


class Naive(nn.Module):
    """The logarithm of a sum of exponentials as its formula says, which float32 does not hold for long."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.log(jnp.exp(nn.Dense(8, name="first")(x)).sum(-1))


class Stable(torch.nn.Module):
    """The same, by the function that takes out the largest."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(6, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(self.first(x), -1)


@pytest.mark.parametrize(("scale", "verdict"), [(1, Verdict.SAME), (500, Verdict.INCONCLUSIVE)])
def test_an_overflow_in_float32_on_one_side_is_no_pass(scale: float, verdict: Verdict) -> None:
    report = parity.compare(
        (Naive(), Naive().init(jax.random.key(0), X)), Stable(), scale * X, checks=parity.Checks(probes=False)
    )
    assert report.verdict is verdict
    if verdict is Verdict.INCONCLUSIVE:
        assert "not finite in flax in float32 alone" in str(report)
