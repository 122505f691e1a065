"""Arrays of layers that all agree are let go of, and the pass is run again for whoever asks."""

from collections import Counter

import numpy as np
import pytest

import parity
from parity.checks.verdict import Verdict
from parity.interface.observation import Call, PassResult, RecalledCall
from parity.pair.passes import both_sides
from parity.pair.passes.both_sides import BothSides, recalled, released
from parity.report.pair import Report
from tests.pair.small import convnet

NUMBERS = np.arange(6.0)


def seen(*calls: Call) -> PassResult:
    return PassResult({"": NUMBERS}, calls, {})


def test_a_call_that_was_let_go_is_computed_once_more_for_all_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both_sides, "LARGE", 1)
    ids = np.arange(3)
    floats, whole = Call("a", "A", 0, (NUMBERS,), (NUMBERS,), (None,)), Call("b", "B", 1, (ids,), (NUMBERS,))
    again: Counter[tuple[str, str]] = Counter()

    def run(side: str, precision: str) -> PassResult:
        again[side, precision] += 1
        return seen(floats, whole)

    light = released(BothSides({"float64": seen(floats, whole)}, {}), run).flax["float64"]
    assert [(call.path, call.type, call.start) for call in light.calls] == [("a", "A", 0), ("b", "B", 1)]
    assert light.calls[1].inputs[0] is ids and not again
    assert light.calls[0].inputs[0] is NUMBERS and light.calls[1].outputs[0] is NUMBERS
    assert light.calls[0].gradients == (None,) and again == {("flax", "float64"): 1}
    assert not any(isinstance(call, RecalledCall) for call in recalled(light).calls)


def test_what_is_small_is_kept() -> None:
    call = Call("a", "A", 0, (NUMBERS,), (NUMBERS,))
    assert released(BothSides({"float64": seen(call)}, {}), lambda *_: seen()).flax["float64"].calls == (call,)


def compared(keep: float) -> Report:
    flax, torch, images, layout = convnet(keep=keep)
    return parity.compare(flax, torch, images, checks=parity.Checks(probes=False), **layout)


def test_a_check_says_the_same_with_and_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = compared(0.8)
    monkeypatch.setattr(both_sides, "LARGE", 1)
    light = compared(0.8)
    assert light.verdict is kept.verdict is Verdict.DIFFERENT and light.first_difference == kept.first_difference
    assert [rung.findings for rung in light.rungs] == [rung.findings for rung in kept.rungs]
    assert light.layers == kept.layers and light.conventions == kept.conventions
