"""State that is written in evaluation, and what networks do that count their passes, are compared too."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


class Count(nnx.Variable[Any]):
    """How many training passes there were."""


class Port(nnx.Module):
    """Inputs less a running centre, whose rate is another one after some training passes."""

    def __init__(self, turn: int) -> None:
        self.layer, self.turn = nnx.Linear(6, 3, rngs=nnx.Rngs(0)), turn
        self.center, self.seen = nnx.BatchStat(np.zeros(6, np.float32)), Count(np.zeros((), np.int32))
        self.training = True

    def eval(self, **attributes: Any) -> Any:
        return super().eval(**{**attributes, "training": False})

    def train(self, **attributes: Any) -> Any:
        return super().train(**{**attributes, "training": True})

    def __call__(self, x: jax.Array) -> jax.Array:
        y = x - self.center[...]
        if self.training:
            rate = jax.numpy.where(self.seen[...] < self.turn, 0.5, 0.1)
            self.center[...] = self.center[...] + rate * (x.mean(0) - self.center[...])
            self.seen[...] = self.seen[...] + 1
        return self.layer(y)


class Net(nn.Module):
    """The same, which may write in evaluation too."""

    center: torch.Tensor
    seen: torch.Tensor

    def __init__(self, turn: int, always: bool = False) -> None:
        super().__init__()
        self.layer, self.turn, self.always = nn.Linear(6, 3), turn, always
        self.register_buffer("center", torch.zeros(6))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x - self.center
        if self.training or self.always:
            rate = 0.5 if int(self.seen) < self.turn else 0.1
            self.center = (self.center + rate * (x.mean(0) - self.center)).detach()
            self.seen = self.seen + 1
        return self.layer(y)


def compared(turns: tuple[int, int], always: bool = False) -> Report:
    return parity.compare(Port(turns[0]), Net(turns[1], always), X, checks=parity.Checks(probes=False))


def test_networks_that_count_alike_are_the_same() -> None:
    assert compared((10, 10)).verdict is Verdict.SAME


def test_another_rate_from_the_tenth_pass_on_is_a_difference() -> None:
    report = compared((10, 20))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.text.startswith("the result after 32 training passes of network differs")


def test_state_that_one_side_writes_in_evaluation_is_a_difference() -> None:
    report = compared((10, 10), always=True)
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.text == "the buffer of center differs in evaluation"


class NormedPort(nnx.Module):
    """The same after a norm, whose running variance is biased in Flax alone."""

    def __init__(self, turn: int) -> None:
        self.norm, self.counted = nnx.BatchNorm(6, momentum=0.9, epsilon=1e-5, rngs=nnx.Rngs(0)), Port(turn)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.counted(self.norm(x))


@pytest.mark.parametrize(("turn", "verdict"), [(10, Verdict.SAME), (20, Verdict.DIFFERENT)])
def test_an_accepted_convention_excuses_nothing_that_many_passes_show(turn: int, verdict: Verdict) -> None:
    net = nn.Sequential(nn.BatchNorm1d(6), Net(turn))
    checks = parity.Checks(probes=False, accept=("running_var_bias",))
    assert parity.compare(NormedPort(10), net, X, checks=checks).verdict is verdict


COUNTS = np.array([[0, 3, 9], [12, 1, 4]])


class Divided(nnx.Module):
    """A layer after a division of whole numbers, which rounds down."""

    def __init__(self) -> None:
        self.layer = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    def __call__(self, counts: jax.Array) -> jax.Array:
        return self.layer((counts // 4).astype(np.float32))


class Truncated(nn.Module):
    """The same with one that rounds to zero, or down."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.layer, self.mode = nn.Linear(3, 2), mode

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        return self.layer(torch.div(counts, 4, rounding_mode=self.mode).to(self.layer.weight.dtype))


@pytest.mark.parametrize(("mode", "verdict"), [("trunc", Verdict.DIFFERENT), ("floor", Verdict.SAME)])
def test_whole_numbers_below_zero_are_tried(mode: str, verdict: Verdict) -> None:
    report = parity.compare(Divided(), Truncated(mode), COUNTS)
    assert report.verdict is verdict
    if verdict is Verdict.DIFFERENT:
        assert [convention.name for convention in report.conventions] == ["negative_numbers"]
        assert report.first_difference is not None and "mask" not in report.first_difference.cause


class LastOfLength(nnx.Module):
    """What stands at the end of each sequence."""

    def __init__(self) -> None:
        self.layer = nnx.Linear(5, 4, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array, lengths: jax.Array) -> jax.Array:
        return self.layer(x)[jax.numpy.arange(x.shape[0]), lengths - 1]


class Last(nn.Module):
    """What stands at the end of all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 4)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        del lengths
        return self.layer(x)[:, -1]


def test_how_jax_counts_an_index_from_the_end_is_no_cause() -> None:
    x = np.random.default_rng(1).standard_normal((3, 6, 5)).astype(np.float32)
    report = parity.compare(LastOfLength(), Last(), (x, np.array([6, 6, 6])))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "compares by <" not in report.first_difference.cause and "lt" not in report.first_difference.cause


class Similar(nnx.Module):
    """A scale that is the exponential of a parameter."""

    def __init__(self) -> None:
        self.layer, self.scale = nnx.Linear(6, 3, rngs=nnx.Rngs(0)), nnx.Param(np.float32(2.0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jax.numpy.exp(self.scale[...]) * self.layer(x)


class Limited(nn.Module):
    """The same, cut off at a hundred."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.scale = nn.Linear(6, 3), nn.Parameter(torch.tensor(2.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale.exp().clamp(max=100.0) * self.layer(x)


def test_a_limit_on_a_single_parameter_is_reached() -> None:
    report = parity.compare(Similar(), Limited(), X)
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "clamp" in report.first_difference.cause
