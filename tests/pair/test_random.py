"""Networks that draw random numbers when they are called say so, with the place."""

from typing import Any

import flax.linen as fnn
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
from parity.report.pair import Report
from tests.pair.asked import asked

X = np.random.default_rng(4).standard_normal((4, 5)).astype(np.float32)


class Plain(nnx.Module):
    """Two dense layers."""

    def __init__(self) -> None:
        self.a, self.b = nnx.Linear(5, 6, rngs=nnx.Rngs(0)), nnx.Linear(6, 3, rngs=nnx.Rngs(1))
        self.rngs = nnx.Rngs(noise=0, dropout=1)
        self.drop = nnx.Dropout(0.4, rngs=nnx.Rngs(2))

    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        return self.b(self.between(jnp.tanh(self.a(x)), train))

    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return x


class Noisy(Plain):
    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return x + 0.1 * jax.random.normal(self.rngs.noise(), x.shape)


class Fixed(Plain):
    """Draws by a key that is always the same."""

    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return x + 0 * jax.random.normal(jax.random.key(7), x.shape)


class Unused(Plain):
    """Draws what it multiplies by zero."""

    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return x + 0.0 * jax.random.uniform(self.rngs.noise(), x.shape)


class AlwaysOn(Plain):
    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return self.drop(x, deterministic=False)


class TrainingNoise(Plain):
    def between(self, x: jax.Array, train: bool) -> jax.Array:
        return x + jax.random.normal(self.rngs.noise(), x.shape) if train else x


class TorchPlain(nn.Module):
    """Its twin."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.between(torch.tanh(self.a(x))))

    def between(self, x: torch.Tensor) -> torch.Tensor:
        return x


class TorchNoisy(TorchPlain):
    def between(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.1 * torch.randn_like(x)


class TorchNumpyNoise(TorchPlain):
    def between(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tensor(np.random.standard_normal(6), dtype=x.dtype)


class TorchAlwaysOn(TorchPlain):
    def between(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, 0.4)


class TorchDropped(TorchPlain):
    """Whose dropout follows the mode."""

    def between(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, 0.4, training=self.training)


class TorchTrainingNoise(TorchPlain):
    def between(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x) if self.training else x


class TorchAttention(TorchPlain):
    """Attention over one axis, whose dropout is on in evaluation."""

    def between(self, x: torch.Tensor) -> torch.Tensor:
        y = x[None, :, None]
        return functional.scaled_dot_product_attention(y, y, y, dropout_p=0.5)[0, :, 0]


def compared(port: Any, model: nn.Module, **options: Any) -> Report:
    return parity.compare(port, model, X, **asked(**{"probes": False, **options}))


def told(report: Report) -> str:
    return " ".join(f.reason for rung in report.rungs for f in rung.findings if not f.verdict.passes)


@pytest.mark.parametrize(
    ("model", "what"),
    [(TorchNoisy(), "(randn_like)"), (TorchNumpyNoise(), "a place"), (TorchAlwaysOn(), "(dropout)")],
)
def test_a_network_that_is_random_in_evaluation_is_not_one_that_is_not(model: nn.Module, what: str) -> None:
    report = compared(Plain(), model)
    assert report.verdict is Verdict.DIFFERENT
    assert "random: PyTorch's network draws numbers at" in told(report) and what in told(report)
    first = report.first_difference
    assert first is not None and "random" in first.text
    assert first.cause.startswith("PyTorch draws numbers in evaluation at") and "training=" in first.mend


@pytest.mark.parametrize("port", [Noisy(), AlwaysOn()])
def test_the_same_of_flax(port: Plain) -> None:
    report = compared(port, TorchDropped() if isinstance(port, AlwaysOn) else TorchPlain())
    assert report.verdict is Verdict.DIFFERENT
    assert "random: Flax's network draws numbers at" in told(report) and "test_random.py line" in told(report)


def test_what_remains_is_judged_where_only_dropout_is_on() -> None:
    report = compared(Plain(), TorchAlwaysOn())
    values = [f for f in report.rungs[1].findings if f.quantity == "result"]
    assert len(values) == 2 and all(f.verdict is Verdict.SAME for f in values)


def test_dropout_of_attention_that_stays_on_is_found() -> None:
    class Attending(Plain):
        def between(self, x: jax.Array, train: bool) -> jax.Array:
            return jax.nn.softmax(x @ x.T, -1) @ x

    assert "random" in told(compared(Attending(), TorchAttention()))


def test_two_random_networks_are_inconclusive() -> None:
    report = compared(Noisy(), TorchNoisy())
    assert report.verdict is Verdict.INCONCLUSIVE and "random" in told(report)
    assert report.first_difference is None and "random" in report.not_run[3]


def test_noise_of_training_leaves_evaluation_to_be_judged() -> None:
    report = compared(TrainingNoise(), TorchTrainingNoise())
    assert report.verdict is Verdict.INCONCLUSIVE
    assert {f.mode for f in report.rungs[1].findings if not f.verdict.passes} == {"training"}
    assert any(f.verdict is Verdict.SAME and f.mode == "evaluation" for f in report.rungs[2].findings)


@pytest.mark.parametrize("port", [Fixed(), Unused()])
def test_draws_that_change_nothing_are_no_noise(port: Plain) -> None:
    assert compared(port, TorchPlain()).verdict is Verdict.SAME


class Linen(fnn.Module):
    """Noise of a stream, in Linen."""

    @fnn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        y = jnp.tanh(fnn.Dense(6)(x))
        y = y + 0.1 * jax.random.uniform(self.make_rng("dropout"), y.shape)
        return fnn.Dense(3)(y)


def test_streams_of_linen_are_found() -> None:
    port = Linen()
    report = compared((port, port.init(jax.random.key(0), X)), TorchNoisy())
    assert report.verdict is Verdict.INCONCLUSIVE and "test_random.py line" in told(report)


def test_the_users_generators_are_as_they_were() -> None:
    torch.manual_seed(11)
    model = TorchNoisy()
    before = torch.get_rng_state()
    compared(Plain(), model)
    assert torch.equal(before, torch.get_rng_state())
