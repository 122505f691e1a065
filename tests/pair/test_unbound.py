"""A Linen module that was made outside of the network, is called inside and holds nothing is as a function."""

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)


class Doubled(nn.Module):
    def __call__(self, x: jax.Array) -> jax.Array:
        return 2 * x


OUTSIDE = Doubled()


class Port(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return OUTSIDE(nn.Dense(5)(x))


class Original(torch.nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.dense, self.factor = torch.nn.Linear(4, 5), factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * self.dense(x)


@pytest.mark.parametrize(("factor", "verdict"), [(2.0, Verdict.SAME), (3.0, Verdict.DIFFERENT)])
def test_a_module_that_was_never_bound_is_as_a_function(factor: float, verdict: Verdict) -> None:
    port = Port()
    pair = (port, port.init(jax.random.key(0), X)), Original(factor), X
    assert parity.compare(*pair, checks=parity.Checks(probes=False)).verdict is verdict
