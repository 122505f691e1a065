"""Probes stay in the domain of the user's inputs; what they alone show is headed, located and can be accepted."""

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
from parity.pair.arrays.domain import domain_of
from parity.report.pair import Report

RNG = np.random.default_rng(6)
X = RNG.standard_normal((4, 6, 3)).astype(np.float32)
MASK = np.array([[1] * 6, [1, 1, 1, 1, 0, 0], [1] * 6, [1, 1, 0, 0, 0, 0]], np.float32)


def told(report: Report) -> str:
    return " ".join(
        f"{f.quantity} {f.name} {f.reason}" for r in report.rungs for f in r.findings if not f.verdict.passes
    )


@pytest.mark.parametrize(
    ("array", "domain"),
    [
        (X, "free"),
        (np.exp(X), "positive"),
        (MASK, "mask"),
        (1 - MASK, "mask"),
        (np.eye(4, dtype=np.float32), "shares"),
        (np.exp(X) / np.exp(X).sum(-1, keepdims=True), "shares"),
        (RNG.random((5, 3)), "unit"),
        (RNG.random((2, 4, 4, 3)), "positive"),
        (np.ones((3, 3)), "positive"),
        (np.full((2, 2), np.nan), "free"),
    ],
)
def test_domains_are_learned_from_the_numbers(array: np.ndarray, domain: str) -> None:
    assert domain_of(array) == domain


class Masked(nnx.Module):
    """A dense layer whose outputs are multiplied by a mask."""

    def __init__(self, of: Any) -> None:
        self.fc, self.of = nnx.Linear(3, 4, rngs=nnx.Rngs(0)), of

    def __call__(self, x: jax.Array, other: jax.Array) -> jax.Array:
        return self.of(self.fc(x), other)


class TorchMasked(nn.Module):
    def __init__(self, of: Any) -> None:
        super().__init__()
        self.fc, self.of = nn.Linear(3, 4), of

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return self.of(self.fc(x), other)


@pytest.mark.parametrize(
    ("other", "flax", "pytorch"),
    [
        (MASK, lambda y, m: y * m[..., None], lambda y, m: y.masked_fill(m[..., None] == 0, 0)),
        (1 - MASK, lambda y, m: y * (1 - m)[..., None], lambda y, m: torch.where(m[..., None] > 0.5, 0.0, y)),
        (
            np.eye(4, 6, dtype=np.float32),
            lambda y, m: y * m[..., None],
            lambda y, m: y.masked_fill(m[..., None] == 0, 0),
        ),
        (MASK, lambda y, m: y * (m * m)[..., None], lambda y, m: y * m[..., None]),
        (MASK.astype(bool), lambda y, m: jnp.where(m[..., None], y, 0), lambda y, m: y * m[..., None]),
        (
            np.exp(X[..., :1]),
            lambda y, v: y / jnp.sqrt(v),
            lambda y, v: y / v.abs().sqrt(),
        ),
        (
            RNG.random((4, 6)).astype(np.float32),
            lambda y, p: y * p[..., None],
            lambda y, p: y * p.clamp(0, 1)[..., None],
        ),
    ],
)
def test_what_agrees_in_the_domain_is_the_same(other: np.ndarray, flax: Any, pytorch: Any) -> None:
    report = parity.compare(Masked(flax), TorchMasked(pytorch), (X, other))
    assert report.verdict is Verdict.SAME, told(report)


def test_a_mask_has_a_gradient_where_both_are_one_function_between_0_and_1() -> None:
    flax, pytorch = Masked(lambda y, m: y * m[..., None]), TorchMasked(lambda y, m: y * m.detach()[..., None])
    report = parity.compare(flax, pytorch, (X, MASK))
    assert report.verdict is Verdict.DIFFERENT
    assert report.first_difference is not None and report.first_difference.rung == "gradients"


def test_a_mask_whose_gradient_is_not_defined_is_told() -> None:
    report = parity.compare(
        Masked(lambda y, m: y * (m * m)[..., None]), TorchMasked(lambda y, m: y * m[..., None]), (X, MASK)
    )
    assert [note for note in report.notes if "it holds 0 and 1 alone, and between them the networks" in note]


class Picked(nnx.Module):
    """The vector at a position that the ids choose."""

    def __init__(self, of: Any) -> None:
        self.table, self.of = nnx.Embed(15, 4, rngs=nnx.Rngs(0)), of

    def __call__(self, ids: jax.Array) -> jax.Array:
        return self.of(self.table(ids), ids)


class TorchPicked(nn.Module):
    def __init__(self, of: Any) -> None:
        super().__init__()
        self.table, self.of = nn.Embedding(15, 4), of

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.of(self.table(ids), ids)


IDS = np.array([[3, 1, 4, 9, 0, 0], [2, 6, 5, 3, 5, 9]])


@pytest.mark.parametrize(
    ("flax", "pytorch", "verdict"),
    [
        (
            lambda y, i: y[jnp.arange(2), i.argmax(1)],
            lambda y, i: y[torch.arange(2), (i == 9).int().argmax(1)],
            "different",
        ),
        (lambda y, i: y * (i != 12)[..., None], lambda y, i: y, "different"),
        (lambda y, i: y + (i == 7).any(1)[:, None, None], lambda y, i: y, "different"),
        (lambda y, i: y * (i != 0)[..., None], lambda y, i: y * (i > 0)[..., None], "same"),
    ],
)
def test_ids_that_no_input_shows_are_tried(flax: Any, pytorch: Any, verdict: str) -> None:
    report = parity.compare(Picked(flax), TorchPicked(pytorch), IDS)
    assert report.verdict == verdict, told(report)
    if verdict == "different":
        first = report.first_difference
        assert first is not None and first.text.startswith("the same on your inputs; different with ")


class Net(nnx.Module):
    def __init__(self) -> None:
        self.a, self.b = nnx.Linear(3, 8, rngs=nnx.Rngs(0)), nnx.Linear(8, 2, rngs=nnx.Rngs(1))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.b(nnx.relu(self.a(x)))


def test_what_only_a_probe_shows_is_headed_located_explained_and_can_be_accepted() -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU6(), nn.Linear(8, 2))
    x = (0.02 * X[:, 0]).astype(np.float32)
    report = parity.compare(Net(), model, x)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith("the same on your inputs; different with ")
    assert first.cause == "Flax applies ReLU, PyTorch applies ReLU6" and "2" in first.layer_torch
    names = [one.name for one in report.conventions]
    assert names and all(one.confirmed for one in report.conventions)
    assert parity.compare(Net(), model, x, checks=parity.Checks(accept=names)).verdict is Verdict.SAME


class Strided(nnx.Module):
    def __init__(self) -> None:
        self.conv = nnx.Conv(3, 4, (3, 3), strides=2, padding="SAME", rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(x).mean((1, 2))


class TorchStrided(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(nn.functional.pad(x, (0, 1, 0, 1))).mean((2, 3))


def test_a_padding_that_agrees_at_even_sizes_is_told_at_odd_ones() -> None:
    images = RNG.standard_normal((2, 8, 8, 3)).astype(np.float32)
    report = parity.compare(Strided(), TorchStrided(), images, to_torch="NHWC->NCHW")
    first = report.first_difference
    assert first is not None and first.text.startswith("the same on your inputs; different with odd sizes")
    assert "pad" in first.cause and first.proof
    accepted = parity.compare(
        Strided(), TorchStrided(), images, to_torch="NHWC->NCHW", checks=parity.Checks(accept=["odd sizes"])
    )
    assert accepted.verdict is Verdict.SAME
