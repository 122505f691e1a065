"""Flax's network as `jit` compiles it: a fault of XLA's is told, with its smallest program and what mends it."""

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
from parity.pair.options import Checks
from parity.report.pair import Report

ROWS = 20_000
MANY = np.random.default_rng(0).standard_normal((ROWS, 3))
FEW = MANY[:200]
FUSION = "--xla_cpu_experimental_ynn_fusion_type="


class Rows(nnx.Module):
    """A product of every row with a small kernel, and a sum over what comes of it."""

    def __init__(self, after: Any) -> None:
        self.w, self.after = nnx.Param(jax.random.normal(jax.random.key(0), (3, 3))), after

    def __call__(self, x: jax.Array) -> jax.Array:
        return jax.vmap(lambda row: self.after(self.w[...] @ row).sum())(x)


class TorchRows(nn.Module):
    """Its twin."""

    def __init__(self, after: Any) -> None:
        super().__init__()
        self.w, self.after = nn.Parameter(torch.randn(3, 3)), after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(x @ self.w.T).sum(-1)


PAIRS: dict[str, tuple[Any, Any]] = {
    "squares": (lambda y: y**2, lambda y: y**2),
    "relu": (jax.nn.relu, torch.relu),
    "absolute": (jnp.abs, torch.abs),
}


def compared(name: str, inputs: Any, *, x64: bool = True, **options: Any) -> Report:
    ours, theirs = PAIRS[name]
    with jax.enable_x64(x64):
        return parity.compare(Rows(ours), TorchRows(theirs), inputs, checks=Checks(probes=False, **options))


def told(report: Report) -> str:
    return " ".join(f.reason for rung in report.rungs for f in rung.findings if not f.verdict.passes)


@pytest.mark.parametrize("name", PAIRS)
def test_a_program_that_xla_computes_wrongly_is_told_with_its_mend(name: str) -> None:
    report = compared(name, MANY)
    assert report.verdict is Verdict.DIFFERENT
    assert "XLA computes this wrongly" in told(report) and FUSION in told(report)
    assert "test_as_compiled.py:" in told(report) and "dot_general" in told(report)
    assert [c.name for c in report.conventions] == ["compiler"] and report.conventions[0].confirmed


@pytest.mark.parametrize("name", PAIRS)
def test_accepted_or_with_few_rows_the_networks_are_the_same(name: str) -> None:
    assert compared(name, FEW).verdict is Verdict.SAME
    assert compared(name, MANY, accept=["compiler"]).verdict is Verdict.SAME
    assert compared(name, MANY, x64=False).verdict is Verdict.SAME  # the fault is in float64 on this machine
