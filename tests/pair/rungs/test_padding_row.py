"""An embedding's row of padding, which PyTorch does not train where its layer names it."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

IDS = np.array([[3, 0, 5, 2], [6, 1, 3, 3]])


class Net(nnx.Module):
    def __init__(self, scale: float = 1.0) -> None:
        self.words, self.out = nnx.Embed(7, 4, rngs=nnx.Rngs(0)), nnx.Linear(4, 2, rngs=nnx.Rngs(1))
        self.scale = scale

    def __call__(self, ids: jax.Array) -> jax.Array:
        words = self.words(ids)
        return self.out(words + (self.scale - 1) * (words - jax.lax.stop_gradient(words)))


class TorchNet(nn.Module):
    def __init__(self, padding: int | None) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(7, 4, padding_idx=padding), nn.Linear(4, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.out(self.words(ids))


def compared(padding: int | None, **settings: Any) -> Report:
    return parity.compare(Net(**settings), TorchNet(padding), IDS, checks=parity.Checks(probes=False))


@pytest.mark.parametrize("padding", [3, 0])
def test_the_row_of_padding_is_the_cause_where_all_other_rows_agree(padding: int) -> None:
    report = compared(padding)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None and first.rung == "gradients"
    assert first.cause.startswith(f"PyTorch's words has padding_idx={padding}: row {padding} gets no gradient there")
    assert first.proof.startswith("without that row the gap falls from")


def test_a_row_that_no_id_names_is_no_difference() -> None:
    assert compared(4).verdict is Verdict.SAME


def test_the_row_of_padding_is_no_cause_of_other_rows_gradients() -> None:
    report = compared(3, scale=2.0)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert "padding_idx" not in first.cause


def test_a_row_of_padding_that_no_id_of_the_users_names_is_declared() -> None:
    report = parity.compare(Net(), TorchNet(4), IDS)
    assert report.verdict is Verdict.SAME
    assert any("row 4 (padding_idx) gets no gradient in PyTorch" in lint.text for lint in report.lints)
