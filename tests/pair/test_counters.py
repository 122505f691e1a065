"""Whole-numbered counts of what was seen go on from one training pass to the next on both sides."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


class Port(nnx.Module):
    """A layer beside the mean of all batches that were seen."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.a = nnx.Linear(6, 8, rngs=rngs)
        self.mean, self.count = nnx.BatchStat(jnp.zeros(6)), nnx.BatchStat(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any, train: bool = False) -> Any:
        if train:
            self.count[...] = self.count[...] + 1
            self.mean[...] = self.mean[...] + (x.mean(0) - self.mean[...]) / self.count[...]
        return self.a(x)


class Original(nn.Module):
    """The same; `ahead` is added to the count, as a bug would."""

    mean: torch.Tensor
    count: torch.Tensor

    def __init__(self, ahead: int) -> None:
        super().__init__()
        self.a, self.ahead = nn.Linear(6, 8), ahead
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.count += 1
                self.mean += (x.mean(0) - self.mean) / (self.count + self.ahead)
        return self.a(x)


@pytest.mark.parametrize(("ahead", "verdict"), [(0, Verdict.SAME), (1, Verdict.DIFFERENT)])
def test_a_count_goes_on(ahead: int, verdict: Verdict) -> None:
    report = parity.compare(Port(nnx.Rngs(0)), Original(ahead), X, checks=parity.Checks(probes=False))
    assert report.verdict is verdict, report.first_difference
