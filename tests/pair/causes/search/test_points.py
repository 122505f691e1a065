"""Gradients at single points, where they are a convention, are named with what each framework does there."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

from parity.pair.api import compare
from parity.report.records import Difference

WIDTH = 4


def difference(flax: Any, torch_function: Any, x: np.ndarray) -> Difference:
    """The first difference of a layer and a function after it."""

    class Flax(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.layer = nnx.Linear(WIDTH, WIDTH, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.layer(flax(x))

    class Torch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(torch_function(x))

    found = compare(Flax(nnx.Rngs(0)), Torch(), x.astype(np.float32)).first_difference
    assert found is not None and found.rung == "gradients"
    return found


def with_zeros() -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((3, WIDTH))
    x[0, :2] = 0
    return x


def test_a_kink_is_named() -> None:
    found = difference(lambda x: jnp.maximum(x, 0.0), torch.relu, with_zeros())
    assert "where it takes 0" in found.cause and "of the gradient through" in found.cause, found.cause
    assert found.proof


def test_a_gradient_that_is_not_finite_is_named() -> None:
    def root(x: torch.Tensor) -> torch.Tensor:
        safe = torch.where(x == 0, 1.0, x.abs())
        return torch.where(x == 0, 0.0, safe.sqrt())

    found = difference(lambda x: jnp.sqrt(jnp.where(x < 0, -x, x)), root, with_zeros())
    assert found.cause.startswith("Flax's sqrt has no finite gradient where it takes 0 (2 numbers)"), found.cause
    assert "where(ok" in found.mend


def test_ties_are_named() -> None:
    x = np.random.default_rng(0).standard_normal((3, WIDTH))
    x[:, 1:3] = 2.0

    def first(x: torch.Tensor) -> torch.Tensor:
        return x - x.max(-1, keepdim=True).values

    found = difference(lambda x: x - jnp.max(x, -1, keepdims=True), first, x)
    assert "where several numbers are equal" in found.cause and "evenly" in found.cause, found.cause
