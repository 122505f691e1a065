"""What tutorials write and no layer shows: constants that float32 rounded, inputs that are changed in place, and raw
parameters that one side uses transposed."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(7).standard_normal((4, 6)).astype(np.float32)


class Port(nn.Module):
    """Two dense layers with a step between."""

    step: object

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(3, name="last")(self.step(nn.Dense(6, name="first")(x)))  # type: ignore[operator]


class Original(torch.nn.Module):
    """Its twin."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Linear(6, 6), torch.nn.Linear(6, 3)

    def step(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.step(self.first(x)))


class Scaled(Original):
    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.sqrt(torch.FloatTensor([3]))

    def step(self, x: torch.Tensor) -> torch.Tensor:
        return x / self.scale


class Shifted(Original):
    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.shift = factor * torch.log(torch.tensor(2.0)).item()

    def step(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(x) - self.shift


def compared(port: nn.Module, original: torch.nn.Module) -> Report:
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), original, X, checks=parity.Checks(probes=False))


def softplus(x: jax.Array) -> jax.Array:
    return jax.nn.softplus(x) - jnp.log(2.0)


@pytest.mark.parametrize(
    ("step", "original", "verdict"),
    [
        (lambda x: x / jnp.sqrt(3.0), Scaled(), Verdict.SAME),
        (lambda x: x / jnp.sqrt(3.00001), Scaled(), Verdict.DIFFERENT),
        (softplus, Shifted(), Verdict.SAME),
        (softplus, Shifted(1.000001), Verdict.DIFFERENT),
    ],
    ids=["a tensor of one number", "another number", "a number that was a tensor", "another such number"],
)
def test_a_constant_that_float32_rounded_is_the_one_that_was_meant(
    step: object, original: torch.nn.Module, verdict: Verdict
) -> None:
    assert compared(Port(step), original).verdict is verdict


class InPlace(Original):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(F.relu(x.mul_(2), inplace=True))


class Doubled(Port):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(3, name="last")(nn.Dense(6, name="first")(nn.relu(2 * x)))


def test_inputs_that_are_changed_in_place_are_compared_with_their_gradients() -> None:
    before = X.copy()
    report = compared(Doubled(None), InPlace())
    assert report.verdict is Verdict.SAME
    assert any(f.quantity.startswith("gradient") and "input" in str(f) for rung in report.rungs for f in rung.findings)
    assert np.array_equal(X, before)


class Table(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(3, name="last")(jnp.tanh(x @ self.param("mixed", nn.initializers.normal(), (6, 6))))


class Raw(torch.nn.Module):
    def __init__(self, transposed: bool) -> None:
        super().__init__()
        self.mixed, self.last = torch.nn.Parameter(torch.randn(6, 6)), torch.nn.Linear(6, 3)
        self.transposed = transposed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(x @ (self.mixed.T if self.transposed else self.mixed)))


@pytest.mark.parametrize("transposed", [True, False])
def test_an_array_that_is_not_read_as_it_lies_is_told(transposed: bool) -> None:
    report = compared(Table(), Raw(transposed))
    assert report.verdict is Verdict.SAME
    told = [
        note for note in report.notes if note.startswith("mixed of PyTorch is params/mixed of Flax with its numbers")
    ]
    assert len(told) == transposed
