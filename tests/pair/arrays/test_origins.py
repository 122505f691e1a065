"""Gradients of inputs are told of the user's own arrays, whatever the adapters do."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.checks.verdict import Finding, Verdict
from parity.pair.arrays.inputs import as_inputs
from parity.pair.arrays.origins import CONSTANT, origins
from parity.report.pair import Report

RNG = np.random.default_rng(0)
A, B = (RNG.standard_normal((2, 3)).astype(np.float32) for _ in range(2))


def test_layouts_orders_and_joined_inputs_are_followed() -> None:
    found = origins(as_inputs((A, B)), lambda a, b: {"x": np.concatenate([b, np.zeros((2, 1)), a.T[:2].T], 1)})
    assert found is not None and not found.computed
    assert found.places["['x']"].tolist() == [[6, 7, 8, CONSTANT, 0, 1], [9, 10, 11, CONSTANT, 3, 4]]
    gathered = found.gather({"['x']": np.arange(12.0).reshape(2, 6)}, 12)
    assert gathered.tolist() == [4, 5, 0, 10, 11, 0, 0, 1, 2, 6, 7, 8]


@pytest.mark.parametrize("change", [lambda a: a / 2, lambda a: np.clip(a, -0.5, 0.5), lambda a: np.sort(a)])
def test_an_input_that_is_computed_with_is_told_from_the_others(change: Any) -> None:
    found = origins(as_inputs((A, B)), lambda a, b: (change(a), b))
    assert found is not None and found.computed == {0} and list(found.places) == ["[1]"]


def test_an_adapter_that_refuses_other_numbers_is_not_followed() -> None:
    def refuse(a: Any) -> Any:
        assert abs(a).max() < 6
        return a

    assert origins(as_inputs(A * 9), refuse) is None


class Port(nnx.Module):
    def __init__(self) -> None:
        self.fc = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    def __call__(self, a: jax.Array, b: jax.Array) -> jax.Array:
        return self.fc(jnp.tanh(a) * b)


class Swapped(torch.nn.Module):
    """Takes the two in the other order. `wrong` keeps the result and loses the gradient of one."""

    def __init__(self, wrong: bool = False) -> None:
        super().__init__()
        self.fc, self.wrong = torch.nn.Linear(3, 2), wrong

    def forward(self, b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return self.fc(a.tanh() * (b.detach() if self.wrong else b))


def _inputs_of(report: Report) -> list[Finding]:
    return [f for rung in report.rungs for f in rung.findings if f.quantity == "gradient of input"]


def test_two_inputs_of_one_shape_in_swapped_order_are_compared_each_with_itself() -> None:
    report = parity.compare(Port(), Swapped(), (A, B), to_torch=lambda a, b: (b, a), checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.SAME
    found = _inputs_of(report)
    assert [(f.name, f.mode) for f in found] == [(n, m) for m in ("evaluation", "training") for n in ("[0]", "[1]")]


def test_the_input_whose_gradient_is_lost_is_named() -> None:
    report = parity.compare(
        Port(), Swapped(wrong=True), (A, B), to_torch=lambda a, b: (b, a), checks=parity.Checks(probes=False)
    )
    assert report.verdict is Verdict.DIFFERENT
    assert {f.name: f.verdict for f in _inputs_of(report)} == {"[0]": Verdict.SAME, "[1]": Verdict.DIFFERENT}


def test_an_input_that_an_adapter_computes_with_is_noted_and_the_other_judged() -> None:
    report = parity.compare(
        Port(),
        Swapped(),
        (A, B),
        to_flax=lambda a, b: (a, b / 2),
        to_torch=lambda a, b: (b / 2, a),
        checks=parity.Checks(probes=False),
    )
    assert {f.name for f in _inputs_of(report)} == {"[0]"}
    assert any("input [1] is not compared: to_flax computes with it" in note for note in report.notes)


class Both:
    """What neither framework looks into."""

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b


def test_an_input_without_a_gradient_is_noted() -> None:
    class Opened(Swapped):
        def forward(self, both: Any, count: Any) -> torch.Tensor:
            return super().forward(*(torch.as_tensor(x, dtype=self.fc.weight.dtype) for x in (both.b, both.a)))

    report = parity.compare(
        Port(), Opened(), (A, B), to_torch=lambda a, b: (Both(a, b), np.array(1)), checks=parity.Checks(probes=False)
    )
    assert report.verdict is Verdict.SAME and not _inputs_of(report)
    assert any("input [0] is not compared: to_torch leaves it out" in note for note in report.notes)
