"""A difference that is small in float64 has a cause too, or none: what leaves it as it was is none."""

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


class Port(fnn.Module):
    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = fnn.Dense(5)(x)
        return x / (jnp.sqrt(jnp.sum(x * x, axis=-1, keepdims=True)) + 1e-11)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(x) + torch.zeros(2)[:1]
        return x / (torch.sqrt(torch.sum(x * x, dim=-1, keepdim=True)) + 3e-11)


def test_a_cause_of_a_small_gap_makes_it_fall() -> None:
    port = Port()
    report = parity.compare((port, port.init(jax.random.key(0), jnp.asarray(X))), Net(), X)
    assert report.verdict is Verdict.DIFFERENT
    first = report.first_difference
    assert first is not None
    assert "3e-11" in first.cause and "1e-11" in first.cause, first
