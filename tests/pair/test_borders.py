"""Branches on values: the numbers that networks compare with are tried as inputs, with those on either side."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.interface.observation import Inputs
from parity.pair.arrays.inputs import as_inputs
from parity.pair.rungs.probing.borders import at_borders
from parity.report.pair import Report

RNG = np.random.default_rng(12)
ROWS = RNG.standard_normal((3, 6)).astype(np.float32)
STEPS = RNG.standard_normal((2, 9, 6)).astype(np.float32)
IDS = np.array([[5, 7, 9, 11, 12, 8], [10, 13, 6, 19, 14, 5]])
MASK = np.arange(9)[None] < np.array([[9], [7]])


def is_mask(name: str, array: np.ndarray) -> bool:
    return array.dtype == np.bool_


def made(inputs: Any, numbers: set[float]) -> list[np.ndarray]:
    """The first array of each of the inputs that are made, with ids below 20."""
    return [other.args[0] for other in at_borders(as_inputs(inputs), numbers, lambda array: (0, 20), is_mask)]


def test_a_number_alone_is_put_below_at_and_above_the_border() -> None:
    assert [int(step) for step in made(np.array(3), {10.0})] == [9, 10, 11]
    assert made(np.array(3), {0.5}) == []


def test_ids_become_the_border_and_its_neighbours_and_as_many_of_one() -> None:
    turns, *counts = made(IDS, {2.0})
    assert turns.ravel().tolist() == [1, 2, 3] * 4
    assert [int((ids == 2).sum()) for ids in counts] == [1, 2, 3] and not any((ids[1] == 2).any() for ids in counts)


def test_a_mask_is_opened_as_often_as_the_border_says() -> None:
    masks = made(MASK, {4.0})
    assert [mask.sum(1).tolist() for mask in masks] == [[3, 9], [4, 9], [5, 9]]


def test_what_a_mask_itself_is_compared_with_is_no_count() -> None:
    """A sample that is hidden but for one place leaves positions that see nothing, which no network is made for."""
    assert made(MASK, {0.0, 1.0}) == []


def test_floating_numbers_are_put_at_borders_among_the_users() -> None:
    (moved,) = made(ROWS, {0.0, 0.25, 99.0})
    assert {0.0, 0.25} <= set(moved.ravel().tolist()) and 99.0 not in moved
    assert np.mean(moved != ROWS) < 0.5


def test_no_more_than_a_few_inputs_are_made() -> None:
    assert len(made((np.array(3),), {float(number) for number in range(40)})) == 8


class Net(nnx.Module):
    def __init__(self, of: Any, ids: bool = False) -> None:
        rngs = nnx.Rngs(0)
        self.layer, self.of = nnx.Embed(20, 6, rngs=rngs) if ids else nnx.Linear(6, 4, rngs=rngs), of

    def __call__(self, x: jax.Array, *more: jax.Array) -> jax.Array:
        return self.of(self.layer(x), *(more or (x,)))


class TorchNet(nn.Module):
    def __init__(self, of: Any, ids: bool = False) -> None:
        super().__init__()
        self.layer, self.of = nn.Embedding(20, 6) if ids else nn.Linear(6, 4), of

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        return self.of(self.layer(x), *(more or (x,)))


def compared(flax: Any, pytorch: Any, inputs: Any) -> Report:
    ids = inputs is IDS
    return parity.compare(Net(flax, ids), TorchNet(pytorch, ids), inputs)


WRONG = {
    "count of ids": (
        lambda y, i: jax.lax.cond((i == 0).sum() > 2, lambda z: z / 2, lambda z: z, y),
        lambda y, i: y / 2 if (i == 0).sum() >= 2 else y,
        IDS,
    ),
    "count in a mask": (
        lambda y, m: jnp.where((m.sum(1) > 4)[:, None, None], y, 0),
        lambda y, m: y * (m.sum(1) > 3)[:, None, None],
        (STEPS, MASK),
    ),
    "a step": (lambda y, t: jnp.where(t > 100, y, -y), lambda y, t: y if t >= 100 else -y, (ROWS, np.array(7))),
    "a branch that is never taken": (
        lambda y, t: jax.lax.cond(t < 100, jnp.tanh, jnp.sin, y),
        lambda y, t: y.tanh() if t < 100 else y.cos(),
        (ROWS, np.array(7)),
    ),
    "a far limit": (lambda y, x: jnp.clip(y, -5000.0, 5000.0), lambda y, x: y, ROWS),
    "a half": (
        lambda y, x: y * jnp.floor(2 * x[:, :1] + 0.5),
        lambda y, x: y * torch.round(2 * x[:, :1]),
        ROWS,
    ),
    "zeros": (lambda y, x: y * (x > 0).mean(), lambda y, x: y * (x >= 0).to(y.dtype).mean(), ROWS),
}
RIGHT = {
    "one border written in two ways": (
        lambda y, t: jnp.where(t > 99, y, -y),
        lambda y, t: y if t >= 100 else -y,
        (ROWS, np.array(7)),
    ),
    "a count": (
        lambda y, i: y * (jnp.sum(i != 0, 1) > 1)[:, None, None],
        lambda y, i: y * ((i != 0).sum(1) >= 2)[:, None, None],
        IDS,
    ),
    "a mask without an effect where it is open": (
        lambda y, m: jnp.where(m[..., None], y, 0).sum(1) / jnp.maximum(m.sum(1), 1)[:, None],
        lambda y, m: (y * m[..., None]).sum(1) / m.sum(1).clamp(min=1)[:, None],
        (STEPS, MASK),
    ),
    "a far limit in both": (lambda y, x: jnp.clip(y, -5000.0, 5000.0), lambda y, x: y.clamp(-5000.0, 5000.0), ROWS),
    "halves in both": (lambda y, x: y * jnp.round(2 * x[:, :1]), lambda y, x: y * torch.round(2 * x[:, :1]), ROWS),
    "a kink": (
        lambda y, x: jnp.where(x.mean(1) > 0, x.mean(1), 0)[:, None] * y,
        lambda y, x: torch.relu(x.mean(1))[:, None] * y,
        ROWS,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_differs_at_a_border_is_different(name: str) -> None:
    report = compared(*WRONG[name])
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith("the same on your inputs; different with values at borders")


@pytest.mark.parametrize("name", RIGHT)
def test_what_agrees_at_its_borders_is_the_same(name: str) -> None:
    report = compared(*RIGHT[name])
    assert report.verdict is Verdict.SAME, str(report)
    assert not [note for note in report.notes if "borders" in note]


def test_networks_that_compare_with_nothing_are_given_nothing() -> None:
    report = compared(lambda y, x: jnp.tanh(y), lambda y, x: y.tanh(), ROWS)
    tried = {finding.quantity for rung in report.rungs for finding in rung.findings}
    assert "result with values at borders" not in tried and "result with kernels × 3" in tried


def test_an_input_is_left_as_it_is_where_nothing_is_at_a_border() -> None:
    assert list(at_borders(Inputs((ROWS,)), {50.0}, lambda array: (0, 1), is_mask)) == []
