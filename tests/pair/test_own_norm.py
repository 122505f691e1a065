"""A batch norm of one's own in Flax against PyTorch's: its momentum and its variance are read off its statistics."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((3, 6, 6, 3)).astype(np.float32)


class Norm(nn.Module):
    """Written out, as many projects have it."""

    momentum: float
    unbiased: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        size = x.shape[-1]
        scale, bias = self.param("scale", nn.initializers.ones, size), self.param("bias", nn.initializers.zeros, size)
        mean = self.variable("batch_stats", "mean", jnp.zeros, size)
        var = self.variable("batch_stats", "var", jnp.ones, size)
        if train:
            now, spread = x.mean((0, 1, 2)), x.var((0, 1, 2))
            count = x.size // size
            kept = spread * count / (count - 1) if self.unbiased else spread
            mean.value = self.momentum * mean.value + (1 - self.momentum) * now
            var.value = self.momentum * var.value + (1 - self.momentum) * kept
        else:
            now, spread = mean.value, var.value
        return (x - now) * jax.lax.rsqrt(spread + 1e-5) * scale + bias


class Port(nn.Module):
    norm: tuple[float, bool] | None
    uses: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(4, (3, 3), padding=1, use_bias=False, name="conv")(x)
        norm = Norm(*self.norm, name="bn") if self.norm else nn.BatchNorm(not train, momentum=0.9, name="bn")
        for _ in range(self.uses - 1):  # a dummy pass
            norm(x + 1, *((train,) if self.norm else ()))
        x = nn.relu(norm(x, *((train,) if self.norm else ())))
        return nn.Dense(5, name="lin")(x.mean((1, 2)))


class Original(torch.nn.Module):
    def __init__(self, uses: int = 1) -> None:
        super().__init__()
        self.uses = uses
        self.conv, self.bn = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False), torch.nn.BatchNorm2d(4)
        self.lin = torch.nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        for _ in range(self.uses - 1):
            self.bn(x + 1)
        return self.lin(torch.relu(self.bn(x)).mean((2, 3)))


def compared(momentum: float, unbiased: bool = False, accept: tuple[str, ...] = ()) -> Report:
    port = Port((momentum, unbiased))
    checks = parity.Checks(accept=accept, probes=False)
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), Original(), X, to_torch="NHWC->NCHW", checks=checks)


def test_a_biased_variance_is_named_and_can_be_accepted() -> None:
    report = compared(0.9)
    assert report.verdict is Verdict.DIFFERENT
    assert [(c.name, c.confirmed) for c in report.conventions] == [("running_var_bias", True)]
    assert compared(0.9, accept=("running_var_bias",)).verdict is Verdict.SAME


def test_an_unbiased_one_is_the_same() -> None:
    assert compared(0.9, unbiased=True).verdict is Verdict.SAME


@pytest.mark.parametrize("unbiased", [False, True])
def test_another_momentum_is_a_difference_in_state_that_is_named(unbiased: bool) -> None:
    report = compared(0.1, unbiased, accept=("running_var_bias",))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.rung == "state" and "momentum" in report.first_difference.cause
    assert all(rung.verdict.passes for rung in report.rungs if rung.number < 4)


@pytest.mark.parametrize("norm", [None, (0.9, False)])
@pytest.mark.parametrize(("uses", "verdict"), [((2, 2), Verdict.SAME), ((2, 1), Verdict.DIFFERENT)])
def test_a_norm_may_be_called_more_than_once_in_a_step(
    norm: tuple[float, bool] | None, uses: tuple[int, int], verdict: Verdict
) -> None:
    port, checks = Port(norm, uses[0]), parity.Checks(accept=("running_var_bias",), probes=False)
    variables = port.init(jax.random.key(0), X)
    report = parity.compare((port, variables), Original(uses[1]), X, to_torch="NHWC->NCHW", checks=checks)
    assert report.verdict is verdict, report.first_difference
    if verdict is Verdict.DIFFERENT:
        assert report.first_difference is not None and report.first_difference.rung == "state"
