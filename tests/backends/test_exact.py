"""What PyTorch computes in float64 by float32's constants and shortcuts is computed as it is defined."""

from collections.abc import Callable

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

import parity
from parity.backends.torch.tracing.overrides import PassOverrides
from parity.checks.verdict import Verdict

X = np.concatenate([np.linspace(-40, 40, 401), np.linspace(-1, 1, 101)]) + 0.0123
POSITIVE = np.linspace(0.02, 50, 200)
expit = scipy.special.expit


def sixth(x: NDArray) -> NDArray:
    return np.where(np.abs(x) < 3, 1 / 6, 0.0)


CASES: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], NDArray, NDArray, NDArray]] = {
    "softplus": (F.softplus, X, np.logaddexp(X, 0), expit(X)),
    "the module with a beta": (nn.Softplus(2.0), X, np.logaddexp(2 * X, 0) / 2, expit(2 * X)),
    "hardsigmoid": (nn.Hardsigmoid(), X, np.clip(X + 3, 0, 6) / 6, sixth(X)),
    "celu": (
        nn.CELU(1.7), X, np.where(X > 0, X, 1.7 * np.expm1(np.minimum(X, 0) / 1.7)), np.exp(np.minimum(X, 0) / 1.7)
    ),
    "digamma": (torch.digamma, POSITIVE, scipy.special.psi(POSITIVE), scipy.special.polygamma(1, POSITIVE)),
    "its method": (torch.Tensor.digamma, POSITIVE, scipy.special.psi(POSITIVE), scipy.special.polygamma(1, POSITIVE)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_float64_pass_computes_the_definition(name: str) -> None:
    function, x, value, slope = CASES[name]
    tensor = torch.tensor(x, requires_grad=True)
    with PassOverrides(torch.float64, None):
        result = function(tensor)
    (gradient,) = torch.autograd.grad(result.sum(), tensor)
    for computed, exact in ((result.detach().numpy(), value), (gradient.numpy(), slope)):
        scale = np.maximum(np.abs(exact), np.abs(exact).max() * 1e-3)
        assert (np.abs(computed - exact) / scale).max() < 1e-13


def test_a_float32_pass_computes_what_pytorch_does() -> None:
    tensor = torch.linspace(-30, 30, 101)
    with PassOverrides(torch.float32, None):
        assert torch.equal(F.softplus(tensor), nn.functional.softplus(tensor))


class Port(fnn.Module):
    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.nn.softplus(fnn.Dense(5)(x))
        return fnn.Dense(3)(jax.nn.celu(x - 1, 0.7) * jax.nn.hard_sigmoid(fnn.Dense(5)(x)))


class Net(nn.Module):
    def __init__(self, threshold: float = 20.0) -> None:
        super().__init__()
        self.first, self.gate, self.last = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)
        self.threshold = threshold

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.softplus(self.first(x), threshold=self.threshold)
        return self.last(F.celu(x - 1, 0.7) * F.hardsigmoid(self.gate(x)))


@pytest.mark.parametrize(("threshold", "verdict"), [(20.0, Verdict.SAME), (4.0, Verdict.DIFFERENT)])
def test_a_pair_is_judged_by_the_definitions(threshold: float, verdict: Verdict) -> None:
    x = (np.random.default_rng(0).standard_normal((6, 4)) * 9).astype(np.float32)
    port = Port()
    report = parity.compare((port, port.init(jax.random.key(0), jnp.asarray(x))), Net(threshold), x)
    assert report.verdict is verdict, report
