"""Samples of zeros and of tiny numbers: where one network divides by zero, or has no gradient, and the other does."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn
from torch.nn import functional

import parity
from parity.checks.verdict import Verdict
from parity.pair.arrays.inputs import arrays, as_inputs
from parity.pair.rungs.probing.rows import with_rows
from parity.report.pair import Report

X = np.random.default_rng(3).standard_normal((3, 4)).astype(np.float32)


class Net(nnx.Module):
    def __init__(self, after: Any) -> None:
        self.layer, self.after = nnx.Linear(4, 4, rngs=nnx.Rngs(0)), after

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.after(self.layer(x))


class TorchNet(nn.Module):
    def __init__(self, after: Any) -> None:
        super().__init__()
        self.layer, self.after = nn.Linear(4, 4), after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.layer(x))


def compared(flax: Any, pytorch: Any, x: np.ndarray = X, **options: Any) -> Report:
    return parity.compare(Net(flax), TorchNet(pytorch), x, **options)


def size(y: jax.Array) -> jax.Array:
    return jnp.linalg.norm(y, axis=-1, keepdims=True)


def safe(y: jax.Array) -> jax.Array:
    squares = (y * y).sum(-1, keepdims=True)
    norm = jnp.sqrt(jnp.where(squares > 0, squares, 1.0))
    return y / jnp.where(squares > 0, jnp.maximum(norm, 1e-12), 1e-12)


def normalised(y: torch.Tensor) -> torch.Tensor:
    return functional.normalize(y, dim=-1)


@pytest.mark.parametrize(
    ("flax", "pytorch", "probe", "cause"),
    [
        (lambda y: y / size(y), normalised, "zero rows", ""),
        (lambda y: y / jnp.maximum(size(y), 1e-6), normalised, "tiny rows", "normalize's eps is 1e-12; with 1e-06"),
        (lambda y: y / jnp.maximum(size(y), 1e-12), normalised, "zero rows", "sqrt has no finite gradient"),
    ],
)
def test_what_only_samples_of_zeros_show_is_headed_and_explained(
    flax: Any, pytorch: Any, probe: str, cause: str
) -> None:
    report = compared(flax, pytorch)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith(f"the same on your inputs; different with {probe}")
    assert cause in first.cause
    accepted = parity.Checks(accept=["zero_rows", "tiny_rows"])
    assert compared(flax, pytorch, checks=accepted).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("flax", "pytorch"),
    [
        (safe, normalised),
        (lambda y: y / size(y), lambda y: y / y.norm(dim=-1, keepdim=True)),
        (lambda y: nnx.relu(y) + jnp.minimum(y, 0), lambda y: torch.relu(y) + y.clamp(max=0)),
    ],
)
def test_what_is_undefined_or_at_a_kink_in_both_is_the_same(flax: Any, pytorch: Any) -> None:
    report = compared(flax, pytorch)
    assert report.verdict is Verdict.SAME, str(report)
    assert not [note for note in report.notes if "rows" in note]


def test_zeros_are_tried_where_the_users_numbers_may_be_zero() -> None:
    directions = X / np.linalg.norm(X, axis=-1, keepdims=True)
    for never in (directions, np.exp(X), X[:, 0], np.full_like(X, np.inf), np.eye(3, dtype=np.float32)):
        assert with_rows(as_inputs(never), 0.0) is None
    made = with_rows(as_inputs(X), 0.0, 0.5)
    assert made is not None
    assert np.array_equal(arrays(made)["[0]"], X * np.array([[0], [1], [0.5]], np.float32))
    assert with_rows(as_inputs(np.maximum(X, 0)), 0.0) is not None
