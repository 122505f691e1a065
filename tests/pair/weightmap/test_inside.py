"""A network without layers, whose arrays' layouts no layer decides: operations that agree tell the readings apart."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from jax import lax
from torch import nn
from torch.nn import functional as F

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype(np.float32)
AXES = ("NHWC", "HWIO", "NHWC")


class Port(nnx.Module):
    def __init__(self) -> None:
        draw, rngs = jax.nn.initializers.normal(0.4), nnx.Rngs(0)
        self.first = nnx.Param(draw(rngs.params(), (3, 3, 3, 3)))
        self.mixed = nnx.Param(draw(rngs.params(), (3, 3)))
        self.last = nnx.Param(draw(rngs.params(), (3, 5)))

    def __call__(self, x: jax.Array) -> jax.Array:
        h = lax.conv_general_dilated(x, self.first[...], (1, 1), "SAME", dimension_numbers=AXES)
        h = jax.nn.tanh(h @ self.mixed[...])
        return h.max(axis=(1, 2)) @ self.last[...]


class Original(nn.Module):
    def __init__(self, pooled: Any) -> None:
        super().__init__()
        self.first = nn.Parameter(0.4 * torch.randn(3, 3, 3, 3))
        self.mixed = nn.Parameter(0.4 * torch.randn(3, 3))
        self.last = nn.Parameter(0.4 * torch.randn(3, 5))
        self.pooled = pooled

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.conv2d(x, self.first, padding=1)
        h = torch.tanh(torch.einsum("bchw,cd->bdhw", h, self.mixed))
        return self.pooled(h) @ self.last


def compared(pooled: Any) -> parity.Report:
    return parity.compare(Port(), Original(pooled), X, to_torch="NHWC->NCHW", checks=parity.Checks(probes=False))


def test_equal_networks_are_the_same() -> None:
    assert compared(lambda h: h.amax(dim=(2, 3))).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("pooled", "cause"),
    [(lambda h: h.amin(dim=(2, 3)), "the smallest"), (lambda h: 2 * h.amax(dim=(2, 3)), "multiplies with 2")],
)
def test_a_difference_behind_arrays_that_may_be_read_in_several_ways_is_explained(pooled: Any, cause: str) -> None:
    first = compared(pooled).first_difference
    assert first is not None and cause in first.cause, first
    assert first.lines["torch"].startswith("test_inside.py")
