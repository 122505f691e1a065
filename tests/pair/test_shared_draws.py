"""Networks that draw random numbers when they are called are compared with the same draws, where that is asked for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from jax.random import normal as imported_normal
from torch import nn
from torch.nn import functional

import parity
from parity.checks.verdict import Verdict
from parity.pair.options import Checks, TrainingPair
from parity.report.pair import Report

X = np.random.default_rng(4).standard_normal((4, 5)).astype(np.float32)
MAPS = np.random.default_rng(5).standard_normal((2, 6, 5, 3)).astype(np.float32)
RATE = 0.3


class Between(nnx.Module):
    """Two dense layers, and what is drawn between them."""

    def __init__(self, draw: Any) -> None:
        self.a, self.b = nnx.Linear(5, 6, rngs=nnx.Rngs(0)), nnx.Linear(6, 3, rngs=nnx.Rngs(1))
        self.rngs, self.draw = nnx.Rngs(noise=0), draw

    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        return self.b(self.draw(jnp.tanh(self.a(x)), self.rngs.noise, train))


class TorchBetween(nn.Module):
    """Its twin."""

    def __init__(self, draw: Any) -> None:
        super().__init__()
        self.a, self.b, self.draw = nn.Linear(5, 6), nn.Linear(6, 3), draw

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.draw(torch.tanh(self.a(x)), self.training))


def sampled(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return x + jnp.exp(0.5 * x) * jax.random.normal(key(), x.shape)


def imported(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return x + jnp.exp(0.5 * x) * imported_normal(key(), x.shape)


def method(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return x + jnp.exp(0.5 * x) * key.normal(x.shape)


def torch_sampled(x: torch.Tensor, training: bool) -> torch.Tensor:
    return x + torch.exp(0.5 * x) * torch.randn_like(x)


def torch_distribution(x: torch.Tensor, training: bool) -> torch.Tensor:
    return torch.distributions.Normal(x, torch.exp(0.5 * x)).rsample()


def gumbel(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return jax.nn.softmax((x + jax.random.gumbel(key(), x.shape)) / 0.7)


def gumbel_by_hand(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return jax.nn.softmax((x - jnp.log(-jnp.log(jax.random.uniform(key(), x.shape)))) / 0.7)


def torch_gumbel(x: torch.Tensor, training: bool) -> torch.Tensor:
    return functional.gumbel_softmax(x, tau=0.7)


def torch_gumbel_by_hand(x: torch.Tensor, training: bool) -> torch.Tensor:
    return ((x - torch.log(-torch.log(torch.rand(x.shape)))) / 0.7).softmax(-1)


def torch_exponential(x: torch.Tensor, training: bool) -> torch.Tensor:
    return ((x - torch.empty_like(x).exponential_().log()) / 0.7).softmax(-1)


def drop_path(x: jax.Array, key: Any, train: bool) -> jax.Array:
    if not train:
        return x
    keep = 1 - RATE
    return x / keep * jnp.floor(keep + jax.random.uniform(key(), (x.shape[0], 1)))


def torch_drop_path(x: torch.Tensor, training: bool, rate: float = RATE) -> torch.Tensor:
    if not training:
        return x
    kept = (1 - rate + torch.rand((x.shape[0], 1), dtype=x.dtype)).floor_()
    return x.div(1 - rate) * kept


def spread(x: jax.Array, key: Any, train: bool) -> jax.Array:
    return x + jax.random.uniform(key(), x.shape, minval=-1.0, maxval=3.0)


def torch_spread(x: torch.Tensor, training: bool) -> torch.Tensor:
    return x + torch.empty_like(x).uniform_(-1.0, 3.0)


def torch_normal(x: torch.Tensor, training: bool) -> torch.Tensor:
    return x + torch.normal(0.0, 1.0, x.shape) * torch.exp(0.5 * x)


RIGHT = [
    (sampled, torch_sampled),
    (imported, torch_sampled),
    (method, torch_distribution),
    (sampled, torch_normal),
    (gumbel, torch_gumbel),
    (gumbel, torch_exponential),
    (gumbel_by_hand, torch_gumbel_by_hand),
    (drop_path, torch_drop_path),
    (spread, torch_spread),
]
WRONG = [
    (sampled, lambda x, training: x + torch.exp(x) * torch.randn_like(x)),
    (gumbel, lambda x, training: functional.gumbel_softmax(x, tau=0.8)),
    (gumbel, lambda x, training: functional.gumbel_softmax(x, tau=0.7, hard=True)),
    (drop_path, lambda x, training: torch_drop_path(x, training, 0.5)),
    (spread, lambda x, training: x + torch.empty_like(x).uniform_(-1.0, 2.5)),
]


def compared(ours: Any, theirs: Any, dropout: Any = "shared", **options: Any) -> Report:
    checks = Checks(dropout=dropout, probes=options.pop("probes", False))
    return parity.compare(Between(ours), TorchBetween(theirs), X, checks=checks, **options)


def told(report: Report) -> str:
    return " ".join(f.reason for rung in report.rungs for f in rung.findings if not f.verdict.passes)


@pytest.mark.parametrize(("ours", "theirs"), RIGHT)
def test_the_same_use_of_the_same_draws_is_the_same(ours: Any, theirs: Any) -> None:
    report = compared(ours, theirs)
    assert report.verdict is Verdict.SAME, told(report)
    assert {rung.number for rung in report.rungs} >= {1, 2, 3}
    assert any("both networks got the same numbers for 1 draw" in note for note in report.notes)


@pytest.mark.parametrize(("ours", "theirs"), WRONG)
def test_another_use_of_the_same_draws_is_different(ours: Any, theirs: Any) -> None:
    assert compared(ours, theirs).verdict is Verdict.DIFFERENT


def test_probes_and_training_runs_get_the_same_draws_too() -> None:
    theirs = TorchBetween(torch_sampled)
    optimizers = (optax.sgd(0.1), torch.optim.SGD(theirs.parameters(), 0.1))
    report = parity.compare(
        Between(sampled), theirs, X, checks=Checks(dropout="shared"), training=TrainingPair(optimizers)
    )
    assert report.verdict is Verdict.SAME, told(report)
    assert {rung.number for rung in report.rungs} >= {1, 2, 3, 5, 6}


def test_without_being_asked_for_a_network_that_draws_is_random_and_the_mend_is_told() -> None:
    report = compared(sampled, torch_sampled, "off")
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "random: " in told(report) and 'dropout="shared" gives both the same numbers' in told(report)


@pytest.mark.parametrize("theirs", [torch_exponential, torch_drop_path, torch_gumbel])
def test_draws_of_another_kind_stay_random(theirs: Any) -> None:
    report = compared(sampled, theirs)
    assert report.verdict in (Verdict.INCONCLUSIVE, Verdict.DIFFERENT)
    assert "random: " in told(report) and 'dropout="shared"' not in told(report)


def test_draws_follow_the_layout_of_images() -> None:
    class Maps(nnx.Module):
        def __init__(self) -> None:
            self.conv, self.rngs = nnx.Conv(3, 4, (3, 3), rngs=nnx.Rngs(0)), nnx.Rngs(noise=0)

        def __call__(self, x: jax.Array) -> jax.Array:
            y = self.conv(x)
            return jnp.tanh(y + jax.random.normal(self.rngs.noise(), y.shape)).mean((1, 2))

    class TorchMaps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            return torch.tanh(y + torch.randn(y.shape)).mean((2, 3))

    report = parity.compare(
        Maps(), TorchMaps(), MAPS, to_torch="NHWC->NCHW", checks=Checks(dropout="shared", probes=False)
    )
    assert report.verdict is Verdict.SAME, told(report)
