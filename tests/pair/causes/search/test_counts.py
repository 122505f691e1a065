"""A layer that one side calls more often is told by how often it is called, or by how often its statistics move."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity

X = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)


class Normed(nnx.Module):
    """Two norms, of which the second may be called again, its result dropped."""

    def __init__(self, again: bool) -> None:
        self.again, rngs = again, nnx.Rngs(0)
        self.first, self.second = (nnx.BatchNorm(5, momentum=0.9, epsilon=1e-5, rngs=rngs) for _ in range(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jnp.tanh(self.first(x))
        if self.again:
            self.second(x + 1.0)
        return x + jnp.tanh(self.second(x))


class TorchNormed(nn.Module):
    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again, self.first, self.second = again, nn.BatchNorm1d(5), nn.BatchNorm1d(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x).tanh()
        if self.again:
            self.second(x + 1.0)
        return x + self.second(x).tanh()


@pytest.mark.parametrize(
    ("side", "other", "buffer"), [("Flax", "PyTorch", "mean"), ("PyTorch", "Flax", "running_mean")]
)
def test_a_layer_that_is_called_again_is_told_and_not_the_norm_before_it(side: str, other: str, buffer: str) -> None:
    pair: tuple[Any, Any] = Normed(side == "Flax"), TorchNormed(side == "PyTorch")
    report = parity.compare(*pair, X, checks=parity.Checks(probes=False))
    first = report.first_difference
    assert first is not None and (first.rung, first.layer_torch, len(first.further)) == ("state", "second", 0)
    assert first.cause.startswith(f"{side} updates second.{buffer} twice in a pass, and {other} once")
    assert (
        first.mend.startswith(f"call that layer once less in {side} at test_counts.py") and "falls from" in first.proof
    )


class Looped(nnx.Module):
    """Two turns of one block."""

    def __init__(self) -> None:
        self.block = nnx.Linear(5, 5, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(2):
            x = jnp.tanh(self.block(x))
        return x


class TorchLooped(nn.Module):
    """Some turns of it, of which the result of an earlier one may be returned."""

    def __init__(self, turns: int, returned: int) -> None:
        super().__init__()
        self.turns, self.returned, self.block = turns, returned, nn.Linear(5, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        every = [x]
        for _ in range(self.turns):
            every.append(self.block(every[-1]).tanh())
        return every[self.returned]


@pytest.mark.parametrize(
    ("turns", "returned", "says"),
    [
        (3, 3, "PyTorch calls block 3 times, and Flax twice"),
        (2, 1, "Flax takes what the 2nd call of block gives, and PyTorch what the 1st call of block gives"),
    ],
)
def test_a_block_that_one_side_runs_more_often_is_told_by_its_calls(turns: int, returned: int, says: str) -> None:
    pair: tuple[Any, Any] = Looped(), TorchLooped(turns, returned)
    first = parity.compare(*pair, X, checks=parity.Checks(probes=False)).first_difference
    assert first is not None and first.proof and first.cause.startswith(says)
