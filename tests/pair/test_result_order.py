"""Results that the sides return in another order are different, though a map against the names makes them agree."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import linen, nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(3).standard_normal((3, 8)).astype(np.float32)
NAMES = ("mean", "spread", "weight")


class Heads(nnx.Module):
    """Equal layers on one input, whose results are returned by name, or joined by a function."""

    def __init__(self, join: Any = None) -> None:
        self.body, self.join = nnx.Linear(8, 8, rngs=nnx.Rngs(0)), join
        self.mean, self.spread, self.weight = (nnx.Linear(8, 4, rngs=nnx.Rngs(n)) for n in (1, 2, 3))

    def __call__(self, x: jax.Array) -> Any:
        x = jnp.tanh(self.body(x))
        results = self.mean(x), self.spread(x), self.weight(x)
        return results if self.join is None else self.join(*results)


class TorchHeads(nn.Module):
    """The same, with the layers of these names in the places of mean, spread and weight."""

    def __init__(self, order: Sequence[str] = NAMES, join: Any = None) -> None:
        super().__init__()
        self.body, self.order, self.join = nn.Linear(8, 8), order, join
        self.mean, self.spread, self.weight = (nn.Linear(8, 4) for _ in NAMES)

    def forward(self, x: torch.Tensor) -> Any:
        x = self.body(x).tanh()
        results = tuple(self.get_submodule(name)(x) for name in self.order)
        return results if self.join is None else self.join(*results)


def compared(flax: Any, pytorch: nn.Module, **options: Any) -> Report:
    return parity.compare(flax, pytorch, X, checks=parity.Checks(probes=False, **options))


@pytest.mark.parametrize("order", [("spread", "mean", "weight"), ("weight", "mean", "spread")])
def test_exchanged_results_are_different_and_can_be_accepted(order: Sequence[str]) -> None:
    report = compared(Heads(), TorchHeads(order))
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith(
        "the networks return their results in another order, with layers of equal names as one"
    )
    assert f"[0] in PyTorch is [{NAMES.index(order[0])}] in Flax" in first.text
    assert [convention.name for convention in report.conventions if convention.confirmed] == ["output_order"]
    accepted = compared(Heads(), TorchHeads(order), accept=["output_order"])
    assert accepted.verdict is Verdict.SAME
    assert any("against their names" in note for note in accepted.notes)


class LinenHeads(linen.Module):
    """Two heads in a module of their own, returned by key."""

    @linen.compact
    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        return Pair(name="heads")(x)


class Pair(linen.Module):
    @linen.compact
    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        return {name: linen.Dense(4, name=name)(x) for name in NAMES[:2]}


class TorchPair(nn.Module):
    def __init__(self, exchanged: bool) -> None:
        super().__init__()
        self.mean, self.spread, self.exchanged = nn.Linear(8, 4), nn.Linear(8, 4), exchanged

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        mean, spread = self.mean(x), self.spread(x)
        return {"mean": spread, "spread": mean} if self.exchanged else {"spread": spread, "mean": mean}


class Holder(nn.Module):
    def __init__(self, exchanged: bool) -> None:
        super().__init__()
        self.heads = TorchPair(exchanged)

    def forward(self, x: torch.Tensor) -> Any:
        return self.heads(x)


@pytest.mark.parametrize(("exchanged", "verdict"), [(True, Verdict.DIFFERENT), (False, Verdict.SAME)])
def test_results_under_each_others_keys_are_different(exchanged: bool, verdict: Verdict) -> None:
    port = LinenHeads()
    report = compared((port, port.init(jax.random.key(0), X)), Holder(exchanged))
    assert report.verdict is verdict
    assert ("['mean'] in PyTorch is ['spread'] in Flax" in str(report)) is exchanged


def test_layers_that_go_by_each_others_names_inside_are_a_note() -> None:
    """Once all is joined, nobody can tell exchanged results from exchanged names."""
    joined = Heads(lambda a, b, c: (jnp.tanh(a) * b, c))
    report = compared(joined, TorchHeads(("spread", "mean", "weight"), lambda a, b, c: (a.tanh() * b, c)))
    assert report.verdict is Verdict.SAME
    assert "mean of Flax is spread of PyTorch, and spread is mean, against their names" in report.notes


def test_results_of_layers_in_their_places_say_nothing_of_names() -> None:
    report = compared(Heads(), TorchHeads())
    assert report.verdict is Verdict.SAME and not [note for note in report.notes if "names" in note]
