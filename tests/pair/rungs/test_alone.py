"""What a layer introduces itself is told from what it inherits: both sides' layer is fed the same."""

import json
from collections import Counter
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.backends.flax.side import FlaxSide
from parity.backends.torch.side import TorchSide
from parity.checks.verdict import Verdict
from parity.interface.observation import Inputs, PassResult
from parity.interface.side import Pass, Side
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((2, 8, 3)).astype(np.float32)


class Slipped(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(16, (3,), strides=2, padding="SAME")(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        return nn.Dense(6)(nn.relu(x).mean(1))


class Averaged(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu().mean(2)


@pytest.fixture(scope="module")
def wrong() -> tuple[Report, Counter[str]]:
    """A pair whose convolution is padded otherwise, and how often each side was run with layers fed alone."""
    passes: Counter[str] = Counter()
    patch = pytest.MonkeyPatch()
    for side in (FlaxSide, TorchSide):
        original = side.run

        def run(self: Side, native: dict, inputs: Inputs, how: Pass, original=original) -> PassResult:
            passes[self.framework] += bool(how.feeds)
            return original(self, native, inputs, how)

        patch.setattr(side, "run", run)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(3, 16, 3, 2, 1), torch.nn.BatchNorm1d(16), Averaged(), torch.nn.Linear(16, 6)
    )
    flax = Slipped(), Slipped().init(jax.random.key(0), X)
    report = parity.compare(flax, model, X, checks=parity.Checks(probes=False), to_torch="NLC->NCL")
    patch.undo()
    return report, passes


def test_only_the_wrong_layer_is_wrong_alone(wrong: tuple[Report, Counter[str]]) -> None:
    training = {one.torch: one for one in wrong[0].layers if one.mode == "training"}
    held = {"0": Verdict.DIFFERENT, "1": Verdict.SAME, "3": Verdict.SAME}
    assert {name: one.alone.verdict for name, one in training.items() if one.alone} == held
    last = training["3"]
    assert last.finding.verdict is Verdict.DIFFERENT and last.inherited > 1e-6
    assert last.alone is not None and last.alone.isolated
    assert 0 < last.alone.gap < last.finding.gap * 2.0**-20
    # Its own float32 rounding only. What it inherits may cancel some of that, so the two are not held together.
    assert 0 < last.alone.errors["torch"] < 16 * np.finfo(np.float32).eps


def test_it_takes_two_forward_passes_a_side_and_stands_in_the_json(
    wrong: tuple[Report, Counter[str]], tmp_path: Path
) -> None:
    report, passes = wrong
    assert passes == {"flax": 2, "torch": 2}
    report.to_json(tmp_path / "report.json")
    layers = json.loads((tmp_path / "report.json").read_text())["layers"]
    assert {one["alone"] is None for one in layers if one["mode"] == "evaluation"} == {True}
    assert next(one for one in layers if one["mode"] == "training")["alone"]["quantity"] == "output alone"


class Tokens(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed, self.head = nnx.Embed(5, 6, rngs=rngs), nnx.Linear(6, 4, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.embed(x))


def test_layers_that_get_whole_numbers_are_alone_already() -> None:
    model = torch.nn.Sequential(torch.nn.Embedding(5, 6), torch.nn.Linear(6, 4))
    report = parity.compare(
        Tokens(nnx.Rngs(0)), model, np.array([[1, 4, 0], [2, 2, 3]]), checks=parity.Checks(probes=False)
    )
    found = {one.torch: one.alone for one in report.layers if one.alone is not None}
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys("01", Verdict.SAME)
    assert found["0"].errors == {"flax": 0.0, "torch": 0.0}  # rows of a table of float32's numbers
