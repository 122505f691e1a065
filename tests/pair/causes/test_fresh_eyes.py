"""Pairs that a new user brought: what was said of them was wrong, or their process ended."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = np.array([0, 2, 1, 1])


class Limited(nnx.Module):
    """Limits the logarithm of a variance, behind a norm that no input gets through."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.norm, self.out = nnx.LayerNorm(8, epsilon=1e-5, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.clip(self.out(self.norm(x)), -20.0, 20.0)


class TorchLimited(nn.Module):
    """Its twin, with a lower limit of its own."""

    def __init__(self, lowest: float) -> None:
        super().__init__()
        self.norm, self.out, self.lowest = nn.LayerNorm(8), nn.Linear(8, 3), lowest

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.norm(x)).clamp(self.lowest, 20.0)


@pytest.mark.parametrize(("lowest", "verdict"), [(-20.0, Verdict.SAME), (-30.0, Verdict.DIFFERENT)])
def test_a_limit_behind_a_norm_is_reached(lowest: float, verdict: Verdict) -> None:
    assert parity.compare(Limited(), TorchLimited(lowest), X).verdict is verdict


class Normed(nnx.Module):
    """A dense layer whose kernel is normed as a whole."""

    def __init__(self) -> None:
        self.v = nnx.Param(jax.random.normal(jax.random.key(0), (8, 5)))
        self.g, self.b = nnx.Param(jnp.ones(5)), nnx.Param(jnp.zeros(5))

    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.v[...]
        return x @ (kernel * self.g[...] / jnp.linalg.norm(kernel)) + self.b[...]


def test_the_search_does_not_try_what_pytorch_writes_beyond_its_memory_for() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(8, 5))
    report = parity.compare(Normed(), model, X, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT


def smoothed(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy(logits, optax.smooth_labels(jax.nn.one_hot(labels, 3), 0.1)).mean()


def test_rounding_that_nobody_wrote_is_no_cause() -> None:
    training = parity.TrainingPair(loss=(smoothed, nn.functional.cross_entropy), targets=LABELS)
    layer = nnx.Linear(8, 3, rngs=nnx.Rngs(0))
    report = parity.compare(layer, nn.Linear(8, 3), X, training=training, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "applies round" not in report.first_difference.cause


class Last(nnx.Module):
    """Reads out the last number that counts."""

    def __init__(self) -> None:
        self.out = nnx.Linear(8, 3, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array, n: jax.Array) -> jax.Array:
        return self.out(x[jnp.arange(x.shape[0]), n - 1])


class TorchLast(nn.Module):
    """Reads out the last number whatever counts."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        return self.out(x[:, -1])


def test_what_jax_does_to_indices_is_no_cause() -> None:
    x = np.random.default_rng(0).standard_normal((3, 5, 8)).astype(np.float32)
    inputs: dict[str, Any] = {"x": x, "n": np.array([5, 2, 3], np.int32)}
    report = parity.compare(Last(), TorchLast(), inputs, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "select_n" not in report.first_difference.cause


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ((nn.Linear(8, 3), nnx.Linear(8, 3, rngs=nnx.Rngs(0))), "a torch Linear as Flax model"),
        ((nnx.Linear, nn.Linear(8, 3)), "the class Linear as Flax model"),
        ((nnx.Linear(8, 3, rngs=nnx.Rngs(0)), nn.Linear), "the class Linear as PyTorch model"),
    ],
)
def test_what_is_no_network_is_told(pair: tuple[Any, Any], said: str) -> None:
    with pytest.raises(parity.UsageError, match=said):
        parity.compare(*pair, X)


def test_optimizers_in_the_wrong_order_are_told() -> None:
    with pytest.raises(parity.UsageError, match=r"got PyTorch.s SGD as the first of optimizers"):
        parity.TrainingPair((torch.optim.SGD(nn.Linear(8, 3).parameters(), 0.1), optax.sgd(0.1)))


def test_dropout_that_differs_is_said_in_the_answer() -> None:
    class Dropped(nnx.Module):
        def __init__(self) -> None:
            self.out, self.drop = nnx.Linear(8, 3, rngs=nnx.Rngs(0)), nnx.Dropout(0.1, rngs=nnx.Rngs(1))

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.drop(self.out(x))

    model = nn.Sequential(nn.Linear(8, 3), nn.Dropout(0.1), nn.Dropout(0.1))
    report = parity.compare(Dropped(), model, X, checks=parity.Checks(probes=False))
    assert "with dropout off, which differs: dropout is used 1 times in Flax and 2 times in PyTorch" in str(report)
