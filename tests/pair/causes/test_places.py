"""Where a difference is said to begin, and what is not blamed for it."""

import flax.linen as fnn
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


class Positions(fnn.Module):
    """Tokens and positions, a dense layer, an activation."""

    shift: int = 0

    @fnn.compact
    def __call__(self, ids: jax.Array) -> jax.Array:
        positions = fnn.Embed(20, 6)(jnp.arange(ids.shape[1]) + self.shift)
        return fnn.Dense(3)(fnn.relu(fnn.Dense(7)(fnn.Embed(9, 6)(ids) + positions)))


class Repeated(torch.nn.Module):
    """The same without the activation; the positions are repeated over the batch."""

    def __init__(self, relu: bool) -> None:
        super().__init__()
        self.tokens, self.positions = torch.nn.Embedding(9, 6), torch.nn.Embedding(20, 6)
        self.hidden, self.last, self.relu = torch.nn.Linear(6, 7), torch.nn.Linear(7, 3), relu

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1]).unsqueeze(0).repeat(ids.shape[0], 1)
        h = self.hidden(self.tokens(ids) + self.positions(places))
        return self.last(torch.relu(h) if self.relu else h)


IDS = np.random.default_rng(0).integers(0, 9, (2, 5))


def test_positions_that_one_side_repeats_over_the_batch_hide_no_cause() -> None:
    port = Positions()
    first = parity.compare((port, port.init(jax.random.key(0), IDS)), Repeated(False), IDS).first_difference
    assert first is not None and first.layer_torch == "input of last"
    assert first.cause.startswith("Flax applies ReLU, and PyTorch does not (test_places.py")


def test_whole_numbers_that_a_layer_is_given_are_its_input() -> None:
    port = Positions(shift=1)
    first = parity.compare((port, port.init(jax.random.key(0), IDS)), Repeated(True), IDS).first_difference
    assert first is not None and first.text.startswith("the input of positions (Embed / Embedding) differs already")
