"""A layout that nobody gave is found where a network refuses the inputs; and inputs that are more than arrays."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.checks.verdict import Verdict

SPATIAL = {1: (7,), 2: (7, 6), 3: (5, 4, 3)}
LETTERS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}


def networks(rank: int, channels: int = 5) -> tuple[nnx.Module, torch.nn.Module]:
    padding = [(1, 1)] * rank
    flax = nnx.Conv(3, channels, (3,) * rank, padding=padding, rngs=nnx.Rngs(0))
    kind = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[rank - 1]
    return flax, kind(3, 5, 3, padding=1)


def batch(rank: int, first: bool) -> np.ndarray:
    """Positions, pixels or voxels of three channels."""
    x = np.random.default_rng(0).standard_normal((2, *SPATIAL[rank], 3)).astype(np.float32)
    return np.moveaxis(x, -1, 1).copy() if first else x


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pytorch_s_side_is_given_channels_first(rank: int) -> None:
    report = parity.compare(*networks(rank), batch(rank, False), checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.SAME
    assert f"PyTorch's side was given {LETTERS[rank]}" in report.notes


def test_flax_s_side_is_given_channels_last() -> None:
    report = parity.compare(*networks(2), batch(2, True), checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.SAME
    assert "Flax's side was given NHWC" in report.notes


def test_the_only_layout_that_runs_is_taken_where_the_first_layer_agrees() -> None:
    flax, model = networks(2)
    wrong = torch.nn.Sequential(model, torch.nn.Tanh())
    report = parity.compare(flax, wrong, batch(2, False), checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.cause == "PyTorch applies tanh, and Flax does not"
    assert any(note.startswith("PyTorch's side was given NCHW, the only layout") for note in report.notes)


def test_a_layout_that_runs_and_proves_nothing_is_only_named() -> None:
    flax = nnx.Conv(3, 5, (3, 3), padding="VALID", rngs=nnx.Rngs(0))
    report = parity.compare(flax, networks(2)[1], batch(2, False), checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.INCONCLUSIVE
    reason = report.rungs[0].findings[-1].reason
    assert 'both networks run with to_torch="NHWC->NCHW": give that to parity.compare if it is meant' in reason
    assert '{"to_torch": "NHWC->NCHW"} as the fourth value' in reason


def test_a_layout_that_is_given_is_the_only_one_that_is_tried() -> None:
    report = parity.compare(*networks(2), batch(2, False), to_torch="NHWC->NHWC", checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "both networks run" not in report.rungs[0].findings[-1].reason


class Graph(NamedTuple):
    nodes: Any
    edges: Any


@dataclass(frozen=True)
class Scene:
    nodes: Any
    edges: Any
    scale: float = 2.0


class FlaxGraph(nnx.Module):
    def __init__(self) -> None:
        self.a, self.b = nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.Linear(5, 3, rngs=nnx.Rngs(1))

    def __call__(self, graph: Any) -> jax.Array:
        return self.a(graph.nodes) + self.b(graph.edges).sum(0)


class TorchGraph(torch.nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.a, self.b, self.scale = torch.nn.Linear(4, 3), torch.nn.Linear(5, 3), scale

    def forward(self, graph: Any) -> torch.Tensor:
        return self.a(graph.nodes) + self.scale * self.b(graph.edges).sum(0)


@pytest.mark.parametrize("kind", [Graph, Scene])
@pytest.mark.parametrize(("scale", "verdict"), [(1.0, Verdict.SAME), (1.5, Verdict.DIFFERENT)])
def test_named_tuples_and_dataclasses_are_inputs(kind: Any, scale: float, verdict: Verdict) -> None:
    rng = np.random.default_rng(0)
    graph = kind(*(rng.standard_normal(shape).astype(np.float32) for shape in ((6, 4), (7, 5))))
    report = parity.compare(FlaxGraph(), TorchGraph(scale), {"graph": graph} if kind is Graph else graph)
    assert report.verdict is verdict
    assert any(f.quantity == "gradient of input" for rung in report.rungs for f in rung.findings)
    assert [given.shape for given in report.inputs] == [(6, 4), (7, 5)]
