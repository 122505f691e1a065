"""Another rate of dropout is a difference though dropout is off, and so are masks over whole channels on one side."""

from collections.abc import Callable
from typing import Any

import flax.linen as fnn
import jax
import numpy as np
import pytest
import torch
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype(np.float32)


class Port(fnn.Module):
    """Two convolutions with a dropout after each."""

    rates: tuple[float, float]
    whole: tuple[int, ...] = ()

    @fnn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        for rate in self.rates:
            x = fnn.relu(fnn.Conv(4, (3, 3))(x))
            x = fnn.Dropout(rate, broadcast_dims=self.whole, deterministic=not train)(x)
        return fnn.Dense(3)(x.mean((1, 2)))


class Net(nn.Module):
    """The same."""

    def __init__(self, rates: tuple[float, float], drop: Callable[[float], nn.Module] = nn.Dropout) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.drops = nn.ModuleList([drop(rate) for rate in rates])
        self.last = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.drops[0](torch.relu(self.first(x)))
        return self.last(self.drops[1](torch.relu(self.second(x))).mean((2, 3)))


def compared(port: Port, net: nn.Module, **checks: Any) -> Report:
    variables = port.init(jax.random.key(0), X)
    options = parity.Checks(probes=False, **checks)
    return parity.compare((port, variables), net, X, to_torch="NHWC->NCHW", checks=options)


def test_another_rate_is_a_difference_that_is_named_and_can_be_accepted() -> None:
    report = compared(Port((0.1, 0.3)), Net((0.1, 0.2)))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "dropout 2 has the rate 0.3 in Flax, 0.2 in PyTorch" in report.first_difference.text
    assert compared(Port((0.1, 0.3)), Net((0.1, 0.2)), accept=("dropout",)).verdict is Verdict.SAME


@pytest.mark.parametrize("rates", [(0.1, 0.3), (0.3, 0.1)])
def test_the_same_rates_in_any_order_are_no_difference(rates: tuple[float, float]) -> None:
    assert compared(Port((0.1, 0.3)), Net(rates)).verdict is Verdict.SAME


def test_whole_channels_on_one_side_alone_are_a_difference() -> None:
    report = compared(Port((0.1, 0.3)), Net((0.1, 0.3), nn.Dropout2d))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "draws a mask of (2, 6, 6, 4) in Flax, of (2, 4, 1, 1) in PyTorch" in report.first_difference.text
    assert compared(Port((0.1, 0.3), (1, 2)), Net((0.1, 0.3), nn.Dropout2d)).verdict is Verdict.SAME
