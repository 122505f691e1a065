"""Linen's weight norm against PyTorch's two: the norm belongs to the layer whose kernel it norms."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from torch.nn.utils import weight_norm as old
from torch.nn.utils.parametrizations import weight_norm as new

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((2, 10, 3)).astype(np.float32)
Norm = Callable[[Any], Any]


class Port(nn.Module):
    """A vocoder's upsampling, with a dense layer behind."""

    axis: int = -2

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.WeightNorm(nn.Conv(6, (7,), padding=3), epsilon=0.0)(x)
        up = nn.ConvTranspose(6, (4,), strides=(2,), padding=((2, 2),))
        x = nn.WeightNorm(up, feature_axes=self.axis, epsilon=0.0)(nn.tanh(x))
        return nn.WeightNorm(nn.Dense(2), epsilon=0.0)(x)


class Original(torch.nn.Module):
    def __init__(self, norm: Norm) -> None:
        super().__init__()
        self.first, self.last = norm(torch.nn.Conv1d(3, 6, 7, padding=3)), norm(torch.nn.Linear(6, 2))
        self.up = norm(torch.nn.ConvTranspose1d(6, 6, 4, stride=2, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.up(torch.tanh(self.first(x.transpose(1, 2)))).transpose(1, 2))


def compared(port: Port, norm: Norm) -> Report:
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), Original(norm), X, checks=parity.Checks(probes=False))


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
@pytest.mark.parametrize("norm", [new, old])
def test_a_weight_norm_is_mapped_with_its_layer(norm: Norm) -> None:
    report = compared(Port(), norm)
    assert report.verdict is Verdict.SAME, report.first_difference
    assert len(report.weights) == 9


def test_another_axis_of_the_transposed_convolution_is_a_difference() -> None:
    report = compared(Port(axis=-1), new)
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "up" in report.first_difference.layer_torch
