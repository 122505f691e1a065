"""A layer that stands in another place is named once, not as several values taken for one another."""

from typing import Any

import jax
import numpy as np
import torch
from flax import nnx
from torch import nn

import parity

WIDTH = 6
X = np.random.default_rng(3).standard_normal((4, WIDTH)).astype(np.float32)


class Flax(nnx.Module):
    """The norm comes before the layer."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.norm = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)
        self.layer = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.first(x)
        return self.head(h + jax.nn.relu(self.layer(self.norm(h))))


class Torch(nn.Module):
    """The norm follows the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layer = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h: Any = self.first(x)
        return self.head(self.norm(h + torch.relu(self.layer(h))))


def test_a_norm_after_the_sum_is_named() -> None:
    difference = parity.compare(Flax(nnx.Rngs(0)), Torch(), X).first_difference
    assert difference is not None and difference.proof and not difference.further
    assert "applies norm to" in difference.cause and "undone in" in difference.proof, difference
