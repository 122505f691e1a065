"""Where a difference is said to begin, and what is not blamed for it."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx

import parity
from parity.checks.verdict import Verdict
from parity.report.records import Difference

SEQUENCES = np.random.default_rng(0).standard_normal((2, 9, 6)).astype(np.float32)


def first(flax: nnx.Module, model: torch.nn.Module) -> Difference:
    report = parity.compare(flax, model, SEQUENCES, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    return report.first_difference


class CausalPort(nnx.Module):
    """A causal convolution, a dense layer, an activation and another one."""

    def __init__(self) -> None:
        self.conv = nnx.Conv(6, 6, (4,), padding="CAUSAL", rngs=nnx.Rngs(0))
        self.middle, self.last = nnx.Linear(6, 5, rngs=nnx.Rngs(1)), nnx.Linear(5, 3, rngs=nnx.Rngs(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(jnp.sin(self.middle(nnx.silu(self.conv(x)))))


class CausalOriginal(torch.nn.Module):
    """Pads both ends and cuts the end off, as Mamba does; its activation is another one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv1d(6, 6, 4, padding=3)
        self.middle, self.last = torch.nn.Linear(6, 5), torch.nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)
        return self.last(torch.cos(self.middle(torch.nn.functional.silu(x))))


def test_a_layer_that_is_cut_afterwards_is_not_where_the_difference_begins() -> None:
    assert "last" in first(CausalPort(), CausalOriginal()).layer_torch


class GeluPort(nnx.Module):
    """A factor too little at first, and the other form of GELU later."""

    def __init__(self) -> None:
        self.first, self.up = nnx.Linear(6, 6, rngs=nnx.Rngs(0)), nnx.Linear(6, 8, rngs=nnx.Rngs(1))
        self.last = nnx.Linear(8, 3, rngs=nnx.Rngs(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(nnx.gelu(self.up(jnp.tanh(self.first(x)) ** 2)))


class GeluOriginal(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.up, self.last = torch.nn.Linear(6, 6), torch.nn.Linear(6, 8), torch.nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.nn.functional.gelu(self.up(torch.tanh(self.first(x)) ** 3)))


def test_the_form_of_gelu_is_not_blamed_for_what_begins_before_it() -> None:
    difference = first(GeluPort(), GeluOriginal())
    assert "up" in difference.layer_torch and "GELU" not in difference.cause
