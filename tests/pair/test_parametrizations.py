"""Arrays of PyTorch's that are computed from others, against what a port computes by hand from the same."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils import weight_norm as old_weight_norm

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(4).standard_normal((4, 5)).astype(np.float32)
Made = Callable[[dict[str, jax.Array]], jax.Array]


class Port(nnx.Module):
    """A dense layer whose kernel is computed from arrays, and one behind it."""

    def __init__(self, kernel: Made, **arrays: tuple[int, ...]) -> None:
        draws = nnx.Rngs(0)
        self.arrays = nnx.Dict({name: nnx.Param(draws.normal(shape)) for name, shape in arrays.items()})
        self.bias, self.kernel = nnx.Param(jnp.zeros(6)), kernel
        self.last = nnx.Linear(6, 3, rngs=draws)

    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.kernel({name: array[...] for name, array in self.arrays.items()})
        return self.last(jnp.tanh(x @ kernel + self.bias[...]))


def original(normed: Callable[[nn.Linear], nn.Module]) -> nn.Module:
    return nn.Sequential(normed(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3))


class Function(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def registered(function: Callable[[torch.Tensor], torch.Tensor]) -> nn.Module:
    def normed(layer: nn.Linear) -> nn.Module:
        parametrize.register_parametrization(layer, "weight", Function(function))
        return layer

    return original(normed)


def lengths(axis: int) -> Made:
    """Directions and lengths, along one axis of a Flax kernel."""
    return lambda a: a["length"] * a["direction"] / jnp.linalg.norm(a["direction"], axis=axis, keepdims=True)


def weight_normed(axis: int) -> Port:
    return Port(lengths(axis), length=(1, 6) if axis == 0 else (5, 1), direction=(5, 6))


def raw(function: Callable[[jax.Array], jax.Array]) -> Port:
    return Port(lambda a: function(a["raw"]), raw=(5, 6))


def compared(port: Any, model: nn.Module) -> Report:
    return parity.compare(port, model, X, checks=parity.Checks(probes=False))


NORMS: dict[str, Callable[..., Any]] = {"new": parametrizations.weight_norm, "old": old_weight_norm}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("flax", "pytorch"), [(0, 0), (1, 1), (0, 1)])
def test_a_weight_norm_by_hand(norm: str, flax: int, pytorch: int) -> None:
    report = compared(weight_normed(flax), original(lambda layer: NORMS[norm](layer, dim=pytorch)))
    assert (report.verdict is Verdict.SAME) is (flax == pytorch), report.first_difference
    assert (report.verdict is Verdict.DIFFERENT) is (flax != pytorch)


FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "positive": (jax.nn.softplus, nn.functional.softplus),
    "bounded": (lambda k: 2 * jnp.tanh(k), lambda w: 2 * torch.tanh(w)),
    "of unit length": (lambda k: k / jnp.linalg.norm(k), lambda w: w / w.norm()),
    "of mean zero": (lambda k: k - k.mean(0), lambda w: w - w.mean(1, keepdim=True)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_parametrization_of_ones_own(name: str) -> None:
    report = compared(raw(FUNCTIONS[name][0]), registered(FUNCTIONS[name][1]))
    assert report.verdict is Verdict.SAME, report.first_difference
    assert report.coverage.parameters == 1.0


@pytest.mark.parametrize("flax", ["plain", *FUNCTIONS])
def test_another_parametrization_or_none_is_a_difference(flax: str) -> None:
    function = FUNCTIONS[flax][0] if flax != "plain" else (lambda k: k)
    other = "bounded" if flax != "bounded" else "positive"
    assert compared(raw(function), registered(FUNCTIONS[other][1])).verdict is Verdict.DIFFERENT


class Spectral(nnx.Module):
    """A spectral norm by hand, as PyTorch computes it: one step of the power iteration in training.

    The parametrization begins the step with u, the norm of old with v.
    """

    def __init__(self, first: str, divide: bool) -> None:
        draws = nnx.Rngs(1)
        self.raw, self.bias = nnx.Param(draws.normal((5, 6))), nnx.Param(jnp.zeros(6))
        self.u, self.v = nnx.BatchStat(draws.normal((6,))), nnx.BatchStat(draws.normal((5,)))
        self.last, self.order, self.divide = nnx.Linear(6, 3, rngs=draws), ("uv", "vu")[first == "v"], divide

    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        kernel = self.raw[...]
        if train:
            still = jax.lax.stop_gradient(kernel)
            for name in self.order:
                if name == "u":
                    self.u.set_value(_unit(self.v[...] @ still))
                else:
                    self.v.set_value(_unit(still @ self.u[...]))
        sigma = self.v[...] @ kernel @ self.u[...]
        return self.last(jnp.tanh(x @ (kernel / sigma if self.divide else kernel) + self.bias[...]))


def _unit(x: jax.Array) -> jax.Array:
    return x / jnp.maximum(jnp.linalg.norm(x), 1e-12)


SPECTRAL: dict[str, Callable[..., Any]] = {"u": parametrizations.spectral_norm, "v": old_spectral_norm}


@pytest.mark.parametrize("first", SPECTRAL)
@pytest.mark.parametrize("divide", [True, False])
def test_a_spectral_norm_by_hand(first: str, divide: bool) -> None:
    report = compared(Spectral(first, divide), original(SPECTRAL[first]))
    assert (report.verdict is Verdict.SAME) is divide, report.first_difference
    assert (report.verdict is Verdict.DIFFERENT) is not divide


def test_the_order_of_the_power_iteration_shows_in_training() -> None:
    report = compared(Spectral("v", True), original(SPECTRAL["u"]))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.mode == "training"
