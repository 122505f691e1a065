"""However a Flax network is told whether it trains, the check finds it or asks for it."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(2).standard_normal((4, 5)).astype(np.float32)


class Original(torch.nn.Module):
    """A dense layer and a BatchNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm = torch.nn.Linear(5, 3), torch.nn.BatchNorm1d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.dense(x))


def normed(x: jax.Array, average: bool) -> jax.Array:
    return nn.BatchNorm(use_running_average=average, momentum=0.9, name="norm")(nn.Dense(3, name="dense")(x))


class Collection(nn.Module):
    """Asks which collections it may change."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return normed(x, not self.is_mutable_collection("batch_stats"))


class Update(nn.Module):
    """Has a keyword of its own that is known."""

    @nn.compact
    def __call__(self, x: jax.Array, update_batch_norm: bool = False) -> jax.Array:
        return normed(x, not update_batch_norm)


class Learn(nn.Module):
    """Has a keyword that nobody else has."""

    @nn.compact
    def __call__(self, x: jax.Array, learn: bool = False) -> jax.Array:
        return normed(x, not learn)


class Still(nn.Module):
    """Has one that is true in evaluation."""

    @nn.compact
    def __call__(self, x: jax.Array, still: bool = True) -> jax.Array:
        return normed(x, still)


class Deaf(nn.Module):
    """Never trains."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return normed(x, True)


class Attribute(nnx.Module):
    """Holds its mode as an attribute of its own."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense, self.training = nnx.Linear(5, 3, rngs=rngs), False
        self.norm = nnx.BatchNorm(3, momentum=0.9, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.norm(self.dense(x), use_running_average=not self.training)


def compared(port: Any, **checks: Any) -> Report:
    """The report on the port and the original; what BatchNorm's variance is divided by is accepted."""
    flax = port if isinstance(port, nnx.Module) else (port, port.init(jax.random.key(0), X))
    asked = parity.Checks(accept=["running_var_bias"], probes=False, **checks)
    return parity.compare(flax, Original(), X, checks=asked)


@pytest.mark.parametrize("port", [Collection(), Update(), Attribute(nnx.Rngs(0))], ids=lambda p: type(p).__name__)
def test_the_mode_is_switched(port: Any) -> None:
    report = compared(port)
    assert report.verdict is Verdict.SAME, report.first_difference


def test_a_flag_that_is_not_known_is_asked_for() -> None:
    report = compared(Learn())
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "Flax's network does the same in evaluation and in training" in report.notes[0]
    assert "(learn)" in report.notes[0] and "training_flag" in report.notes[0]


@pytest.mark.parametrize(("port", "flag"), [(Learn(), "learn"), (Still(), "not still")])
def test_a_flag_that_is_named_is_used(port: Any, flag: str) -> None:
    assert compared(port, training_flag=flag).verdict is Verdict.SAME


def test_a_network_that_never_trains_is_told_first() -> None:
    report = compared(Deaf())
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.text.startswith("Flax's network does the same in evaluation and in training")


def test_a_cache_is_changed_in_evaluation_too() -> None:
    class Counting(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            seen = self.variable("cache", "seen", lambda: np.zeros(5, np.float32))
            seen.value = seen.value + x.sum(0)
            return nn.Dense(3)(x + seen.value)

    class Twin(torch.nn.Module):
        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(5, 3)
            self.register_buffer("seen", torch.zeros(5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen = self.seen + x.sum(0)
            return self.dense(x + self.seen)

    port = Counting()
    report = parity.compare((port, port.init(jax.random.key(0), X)), Twin(), X, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.SAME, report.first_difference
