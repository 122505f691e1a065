"""A square array of layers of one's own is read as both networks use it, also where the networks differ."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


class Port(nnx.Module):
    """A layer whose weights are kept positive, inputs first."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.raw = nnx.Param(jax.random.normal(rngs.params(), (4, 4)))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(x @ jax.nn.softplus(self.raw[...]))


class Original(nn.Module):
    """The same by any product, whose weights may be left as they are."""

    def __init__(self, product: Any) -> None:
        super().__init__()
        self.raw, self.product = nn.Parameter(torch.randn(4, 4)), product

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.product(x, self.raw))


@pytest.mark.parametrize(
    ("product", "how"),
    [
        (lambda x, w: nn.functional.linear(x, w), "transposed"),
        (lambda x, w: x @ w.T, "transposed"),
        (lambda x, w: x @ w, "as it is"),
    ],
)
def test_one_cause_is_named_and_the_array_is_read_as_it_is_used(product: Any, how: str) -> None:
    report = parity.compare(Port(nnx.Rngs(0)), Original(product), X, checks=parity.Checks(probes=False))
    first = report.first_difference
    assert first is not None and "softplus" in first.cause and not first.further, first
    assert [line.how for line in report.weights] == [how]
