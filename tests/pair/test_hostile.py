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
from tests.pair.asked import asked

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
    return parity.compare((port, port.init(jax.random.key(0), X)), model, x, **asked(**options))


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


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_saturation_by_the_inputs_hides_nothing(factor: float) -> None:
    report = compared(jnp.tanh, lambda x: torch.tanh(x * factor), (X * 1e6).astype(np.float32))
    assert report.verdict in RULED if factor == 1.0 else report.verdict is Verdict.DIFFERENT


class Turned(nnx.Module):
    """A convolution with its kernel turned by 180 degrees."""

    def __init__(self) -> None:
        self.conv = nnx.Conv(3, 4, (3, 3), padding=1, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.flip(self.conv(jnp.flip(x, (1, 2))), (1, 2))


def test_equal_pixels_hide_no_turned_kernel() -> None:
    x = np.zeros((2, 6, 6, 3), np.float32)
    report = parity.compare(Turned(), tnn.Sequential(tnn.Conv2d(3, 4, 3, 1, 1)), x, to_torch="NHWC->NCHW")
    assert report.verdict is Verdict.DIFFERENT


class FlaxNorm(nnx.Module):
    """A norm over the batch."""

    def __init__(self) -> None:
        self.norm = nnx.BatchNorm(6, epsilon=1e-5, momentum=0.9, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.norm(x)


def test_one_sample_in_a_batch_norm_is_judged_in_evaluation_only() -> None:
    report = parity.compare(FlaxNorm(), tnn.Sequential(tnn.BatchNorm1d(6)), X[:1])
    assert [(rung.number, rung.verdict) for rung in report.rungs] == [(1, "same"), (2, "inconclusive")]
    assert "Expected more than 1 value per channel when training" in reasons(report)
    assert {f.mode for f in report.rungs[1].findings if f.verdict is Verdict.SAME} == {"evaluation"}


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 2])
def test_small_batches_in_a_batch_norm(size: int) -> None:
    report = parity.compare(FlaxNorm(), tnn.Sequential(tnn.BatchNorm1d(6)), X[:size], accept=["running_var_bias"])
    assert report.verdict in ({Verdict.SAME} if size == 2 else {Verdict.DIFFERENT, Verdict.INCONCLUSIVE})


class FlaxIds(nnx.Module):
    """A table of seven rows."""

    def __init__(self) -> None:
        self.table = nnx.Embed(7, 4, rngs=nnx.Rngs(0))

    def __call__(self, ids: jax.Array) -> jax.Array:
        return self.table(ids % 8)


class TorchIds(tnn.Module):
    """A table of seven rows."""

    def __init__(self) -> None:
        super().__init__()
        self.table = tnn.Embedding(7, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table(ids % 8)


@pytest.mark.parametrize(
    ("bad", "says"),
    [(7, "IndexError: index out of range in self"), (2**33 + 3, "OverflowError: got 8589934595 in an array of int64")],
)
def test_ids_that_one_side_cannot_take(bad: int, says: str) -> None:
    report = parity.compare(FlaxIds(), TorchIds(), np.array([[0, 1, bad]]))
    assert report.verdict is Verdict.INCONCLUSIVE and says in reasons(report)


class NoWayBack(torch.autograd.Function):
    """The double, without a gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *given: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError("no way\nback")


def test_a_backward_pass_that_raises_costs_the_gradients_only() -> None:
    report = compared(lambda x: 2 * x, NoWayBack.apply)
    verdicts = {rung.number: rung.verdict for rung in report.rungs}
    assert verdicts == {1: Verdict.SAME, 2: Verdict.SAME, 3: Verdict.INCONCLUSIVE}
    reason = (
        "ZeroDivisionError: no way during PyTorch's forward and backward pass (evaluation, float64), test_hostile.py"
    )
    assert report.rungs[2].findings[-1].reason.startswith(reason)


def test_an_adapter_that_raises_is_told() -> None:
    report = compared(jnp.tanh, torch.tanh, to_torch=lambda x: x[:, :, 3])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "IndexError" in reasons(report) and "the function that adapts the inputs, test_hostile.py line" in reasons(
        report
    )
