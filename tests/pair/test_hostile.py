"""Numbers that make arithmetic hard: the verdict is right or inconclusive with its reason, and nothing is raised."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn as tnn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

SAME = {Verdict.SAME, Verdict.LESS_ACCURATE}
RULED = SAME | {Verdict.INCONCLUSIVE}
X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


class Flax(nn.Module):
    """Dense, a function, dense."""

    function: Any
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.function(nn.Dense(5, dtype=self.dtype, param_dtype=self.dtype or jnp.float32)(x))
        return nn.Dense(3, dtype=self.dtype, param_dtype=self.dtype or jnp.float32)(x)


class Torch(tnn.Module):
    """Dense, a function, dense."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.first, self.function, self.last = tnn.Linear(6, 5), function, tnn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.function(self.first(x)))


def compared(flax: Any, torch_function: Any, x: Any = X, dtype: Any = None, **options: Any) -> Report:
    """The report on the two, whose functions are given."""
    port = Flax(flax, dtype)
    model = Torch(torch_function)
    if dtype is not None:
        model = model.to(getattr(torch, jnp.dtype(dtype).name))
    return parity.compare((port, port.init(jax.random.key(0), X)), model, x, **options)


def reasons(report: Report) -> str:
    """Why something was not ruled, or what is noted."""
    return " ".join([*(r.reason or " ".join(f.reason for f in r.findings) for r in report.rungs), *report.notes])


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e20])
def test_inputs_of_any_size(scale: float) -> None:
    x = (X * scale).astype(np.float32)
    assert compared(jnp.arcsinh, torch.arcsinh, x).verdict in RULED
    assert compared(jnp.arcsinh, lambda x: torch.arcsinh(x * 1.001), x).verdict is Verdict.DIFFERENT


@pytest.mark.slow
@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_layers_of_unlike_scales(size: float) -> None:
    assert compared(lambda x: jnp.tanh(x * size) / size, lambda x: torch.tanh(x * size) / size).verdict in RULED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flax", "pytorch"),
    [
        (lambda x: jax.nn.softmax(1e4 * x), lambda x: torch.softmax(1e4 * x, -1)),
        (lambda x: jnp.tanh(1e4 * x), lambda x: torch.tanh(1e4 * x)),
        (lambda x: jax.nn.log_softmax(1e4 * x), lambda x: torch.log_softmax(1e4 * x, -1)),
        (lambda x: jax.nn.softplus(1e4 * x), lambda x: tnn.functional.softplus(1e4 * x)),
    ],
    ids=["softmax", "tanh", "log_softmax", "softplus"],
)
def test_saturated_functions(flax: Any, pytorch: Any) -> None:
    assert compared(flax, pytorch).verdict in RULED


def test_denormal_activations() -> None:
    def down_and_up(x: Any) -> Any:
        return x * 1e-20 * 1e-22 * 1e20 * 1e22

    assert compared(down_and_up, down_and_up).verdict in RULED


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("sides", ["flax", "torch", "both"])
def test_what_is_not_finite(bad: float, sides: str) -> None:
    flax = (lambda x: x + bad) if sides != "torch" else (lambda x: x)
    pytorch = (lambda x: x + bad) if sides != "flax" else (lambda x: x)
    report = compared(flax, pytorch)
    assert report.verdict is (Verdict.INCONCLUSIVE if sides == "both" else Verdict.DIFFERENT)


def test_ties_and_zeros() -> None:
    x = np.zeros((2, 6, 6, 3), np.float32)
    port = nnx.Sequential(nnx.Conv(3, 4, (3, 3), padding=1, rngs=nnx.Rngs(0)), nnx.relu)
    report = parity.compare(port, tnn.Sequential(tnn.Conv2d(3, 4, 3, 1, 1), tnn.ReLU()), x, to_torch="NHWC->NCHW")
    assert report.verdict in RULED


def test_an_empty_batch_is_not_called_the_same() -> None:
    report = compared(jnp.tanh, torch.tanh, X[:0], probes=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "nothing was compared" in reasons(report)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_networks_of_half_precision(dtype: Any) -> None:
    assert compared(jnp.tanh, torch.tanh, dtype=dtype).verdict in RULED
    assert compared(jnp.tanh, torch.sigmoid, dtype=dtype).verdict in {Verdict.DIFFERENT, Verdict.INCONCLUSIVE}


@pytest.mark.slow
@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_norms_far_from_zero(offset: float) -> None:
    def flax(x: jax.Array) -> jax.Array:
        x = x + offset
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)

    def pytorch(x: torch.Tensor) -> torch.Tensor:
        return tnn.functional.layer_norm(x + offset, (5,))

    assert compared(flax, pytorch).verdict in RULED

    def fast(x: jax.Array) -> jax.Array:
        x = x + offset
        mean = x.mean(-1, keepdims=True)
        return (x - mean) / jnp.sqrt(jnp.maximum((x**2).mean(-1, keepdims=True) - mean**2, 0) + 1e-5)

    assert compared(fast, pytorch).verdict in {Verdict.LESS_ACCURATE, Verdict.DIFFERENT, Verdict.INCONCLUSIVE}
