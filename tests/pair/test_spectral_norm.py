"""Flax's spectral norm against PyTorch's two: one vector is mapped, and when each iterates is told."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch.nn.utils import spectral_norm as old
from torch.nn.utils.parametrizations import spectral_norm as new

import parity
from parity.backends.torch.spectral import iterate_as_flax, spectral_of
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((2, 10, 3)).astype(np.float32)
NAME = "power_iteration"
Norm = Callable[[Any], Any]


class Port(nn.Module):
    """A convolution, its transposed, and a dense layer."""

    steps: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        def norm(layer: nn.Module, x: jax.Array) -> jax.Array:
            return nn.SpectralNorm(layer, n_steps=self.steps)(x, update_stats=train)

        x = nn.tanh(norm(nn.Conv(6, (7,), padding=3), x))
        x = norm(nn.ConvTranspose(6, (4,), strides=(2,), padding=((2, 2),)), x)
        return norm(nn.Dense(2), x)


class Original(torch.nn.Module):
    def __init__(self, norm: Norm, between: Callable[[torch.Tensor], torch.Tensor] = torch.tanh) -> None:
        super().__init__()
        self.first, self.last = norm(torch.nn.Conv1d(3, 6, 7, padding=3)), norm(torch.nn.Linear(6, 2))
        self.up, self.between = norm(torch.nn.ConvTranspose1d(6, 6, 4, stride=2, padding=1)), between

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.up(self.between(self.first(x.transpose(1, 2)))).transpose(1, 2))


def compared(model: torch.nn.Module, *accept: str, steps: int = 1) -> Report:
    port = Port(steps)
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), model, X, checks=parity.Checks(accept=accept, probes=False))


@pytest.mark.parametrize(("norm", "order"), [(old, "of v and u in training"), (new, "of u and v in training")])
def test_when_each_iterates_is_the_cause_and_can_be_accepted(norm: Norm, order: str) -> None:
    report = compared(Original(norm))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.mode == "evaluation"
    assert (
        "at every call, in evaluation too" in report.first_difference.cause and order in report.first_difference.cause
    )
    assert [(c.name, c.confirmed, c.accepted) for c in report.conventions] == [(NAME, True, False)]
    mapped = [line for line in report.weights if line.flax.endswith("kernel/u")]
    assert len(mapped) == 3 and all(line.torch.endswith("_u") and line.proven for line in mapped)
    assert compared(Original(norm), NAME).verdict is Verdict.SAME


def test_a_number_of_steps_is_undone_with_it() -> None:
    report = compared(Original(old), NAME, steps=2)
    assert report.verdict is Verdict.SAME
    assert any("power_steps is 2 in Flax, 1 in PyTorch" in lint.text for lint in report.lints)


def test_what_else_differs_is_not_accepted_with_it() -> None:
    report = compared(Original(old, torch.sigmoid), NAME)
    assert report.verdict is Verdict.DIFFERENT and not any(c.confirmed for c in report.conventions)


class Overwriting(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.SpectralNorm(nnx.Linear(3, 6, rngs=rngs), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.tanh(self.norm(x))


def test_that_of_nnx_writes_over_the_kernel_which_nobody_can_accept() -> None:
    model = torch.nn.Sequential(old(torch.nn.Linear(3, 6)), torch.nn.Tanh())
    checks = parity.Checks(accept=[NAME], probes=False)
    report = parity.compare(Overwriting(nnx.Rngs(0)), model, X, checks=checks)
    assert [(c.name, c.confirmed, c.accepted) for c in report.conventions] == [(NAME, True, False)]
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "writes what is normed over the kernel" in report.first_difference.cause


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x)


def by_hand(weight: np.ndarray, u: np.ndarray, v: np.ndarray, which: str) -> float:
    """The norm that a layer divides by, of a matrix (out, in) and what it keeps."""
    if which in ("flax", "old, training"):
        v = unit(weight.T @ u)
        u = unit(weight @ v)
    elif which == "new, training":
        u = unit(weight @ v)
        v = unit(weight.T @ u)
    return float(u @ weight @ v)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("norm", [old, new])
def test_the_norms_are_what_is_said_of_them(norm: Norm, training: bool) -> None:
    torch.manual_seed(0)
    layer = norm(torch.nn.Linear(4, 5, bias=False, dtype=torch.float64))
    spectral = spectral_of(layer)
    assert spectral is not None
    held = dict([*layer.named_parameters(), *layer.named_buffers()])
    weight, u, v = (held[name].detach().numpy().copy() for name in (spectral.weight, spectral.u, spectral.v))
    x = torch.eye(4, dtype=torch.float64)
    given = layer.train(training)(x).detach().numpy().T
    name = f"{'old' if norm is old else 'new'}, training" if training else "as kept"
    np.testing.assert_allclose(given, weight / by_hand(weight, u, v, name), rtol=1e-9)

    for name, array in zip((spectral.u, spectral.v), (u, v), strict=True):
        held[name].copy_(torch.tensor(array))
    iterate_as_flax(layer, 1, 1e-12)
    np.testing.assert_allclose(layer(x).detach().numpy().T, weight / by_hand(weight, u, v, "flax"), rtol=1e-9)
    kernel = weight.T.astype(np.float32)
    stats = {"Dense_0/kernel/u": u[None].astype(np.float32), "Dense_0/kernel/sigma": np.float32(1)}
    variables = {"params": {"Dense_0": {"kernel": kernel}}, "batch_stats": {"SpectralNorm_0": stats}}

    class Alone(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            return nn.SpectralNorm(nn.Dense(5, use_bias=False))(x, update_stats=training)

    ours = Alone().apply(variables, np.eye(4, dtype=np.float32), mutable=["batch_stats"])[0]
    np.testing.assert_allclose(np.asarray(ours).T, weight / by_hand(weight, u, v, "flax"), rtol=1e-4)
