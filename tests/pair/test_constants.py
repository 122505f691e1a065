"""Arrays that are neither learnt nor changed, and of which the sides hold other numbers."""

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

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
SCALES = np.array([0.229, 0.224, 0.225, 0.5], np.float32)


class Scaled(nnx.Module):
    """Divides by an array that the module holds as it is, or in a variable of its own."""

    def __init__(self, scales: Any, *, variable: bool = False) -> None:
        self.scales = nnx.BatchStat(jnp.asarray(scales)) if variable else nnx.data(jnp.asarray(scales))
        self.layer = nnx.Linear(4, 2, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        scales = self.scales[...] if isinstance(self.scales, nnx.Variable) else self.scales
        return self.layer(x / scales)


class TorchScaled(nn.Module):
    """Its twin, which holds the array in a buffer."""

    def __init__(self, scales: Any, *, persistent: bool = True) -> None:
        super().__init__()
        self.register_buffer("scales", torch.tensor(scales), persistent=persistent)
        self.layer = nn.Linear(4, 2)
        self.scales: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x / self.scales)


def compared(port: nnx.Module, model: nn.Module, **checks: Any) -> Any:
    return parity.compare(port, model, X, checks=parity.Checks(probes=False, **checks))


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("variable", [False, True])
def test_equal_constants_are_the_same(variable: bool, persistent: bool) -> None:
    report = compared(Scaled(SCALES, variable=variable), TorchScaled(SCALES, persistent=persistent))
    assert report.verdict is Verdict.SAME


@pytest.mark.parametrize(("variable", "persistent"), [(False, False), (False, True), (True, False)])
def test_other_numbers_in_what_no_checkpoint_restores_are_different(variable: bool, persistent: bool) -> None:
    report = compared(Scaled(SCALES, variable=variable), TorchScaled(2 * SCALES, persistent=persistent))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "scales is neither learnt nor changed" in report.first_difference.text
    assert "0.5 in Flax and 1 in PyTorch" in report.first_difference.text
    accepted = compared(
        Scaled(SCALES, variable=variable), TorchScaled(2 * SCALES, persistent=persistent), accept=["constants"]
    )
    assert accepted.verdict is Verdict.SAME


def test_what_checkpoints_of_both_hold_is_noted() -> None:
    report = compared(Scaled(SCALES, variable=True), TorchScaled(2 * SCALES))
    assert report.verdict is Verdict.SAME
    assert any("both were given the same, as a conversion does" in note for note in report.notes)
