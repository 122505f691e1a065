"""A part of an axis, one place of it, and what each of several blocks of one class lacks are named with a proof."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity

WIDTH = 6
X = np.random.default_rng(3).standard_normal((4, 7, WIDTH)).astype(np.float32)
Pool = Callable[[Any], Any]


class Flax(nnx.Module):
    """Blocks of one class with a sum around each, then a pool."""

    def __init__(self, pool: Pool, blocks: int) -> None:
        rngs = nnx.Rngs(0)
        self.pool = pool
        self.blocks = nnx.List([nnx.Linear(WIDTH, WIDTH, rngs=rngs) for _ in range(blocks)])
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = x + jax.nn.relu(block(x))
        return self.head(self.pool(x))


class Torch(nn.Module):
    """The same; the sums may be left out."""

    def __init__(self, pool: Pool, blocks: int, around: bool = True) -> None:
        super().__init__()
        self.pool, self.around = pool, around
        self.blocks = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(blocks)])
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            y = torch.relu(block(x))
            x = x + y if self.around else y
        return self.head(self.pool(x))


@pytest.mark.parametrize(
    ("ours", "theirs", "cause"),
    [
        (lambda x: x[:, 1:].mean(1), lambda x: x.mean(1), "Flax takes the part [:, 1:], and PyTorch takes all"),
        (lambda x: x.mean(1), lambda x: x[:, :-2].mean(1), "PyTorch takes the part [:, :-2], and Flax takes all"),
        (lambda x: x[:, 0], lambda x: x.mean(1), "PyTorch takes the mean along axis 1, Flax the first"),
        (lambda x: x.max(1), lambda x: x[:, -1], "PyTorch takes the last along axis 1, Flax the largest"),
    ],
    ids=["part in Flax", "part in PyTorch", "first", "last"],
)
def test_what_is_taken_of_an_axis_is_named(ours: Pool, theirs: Pool, cause: str) -> None:
    report = parity.compare(Flax(ours, 1), Torch(theirs, 1), X, checks=parity.Checks(probes=False))
    difference = report.first_difference
    assert difference is not None and difference.proof and difference.cause.startswith(cause), difference


def test_a_sum_that_all_blocks_of_one_class_lack_is_one_cause() -> None:
    def pool(x: Any) -> Any:
        return x.mean(1)

    report = parity.compare(Flax(pool, 2), Torch(pool, 2, around=False), X, checks=parity.Checks(probes=False))
    difference = report.first_difference
    assert difference is not None and difference.proof, difference
    assert difference.cause.startswith("Flax adds the input") and not difference.suspected
