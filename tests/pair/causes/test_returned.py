"""Another array is returned, which both sides have inside: named as that."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

import parity

X = np.random.default_rng(3).standard_normal((4, 5)).astype(np.float32)


class Flax(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = nnx.Linear(5, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = 2.0 * self.layer(x)
        z = y + 1.0
        return jnp.tanh(z), z


class Torch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = 2.0 * self.layer(x)
        z = y + 1.0
        return torch.tanh(z), y


def test_another_array_that_is_returned_is_named_as_that() -> None:
    """Leaving the sum out on one side would close the gap too, and part what agrees."""
    difference = parity.compare(Flax(nnx.Rngs(0)), Torch(), X).first_difference
    assert difference is not None and difference.proof and not difference.further
    assert "the returned array is what mul gives" in difference.cause and "what add gives" in difference.cause
    assert difference.undone[0].kind == "returned"
