"""Rungs 2 to 6, with networks of two calls made by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks import ladder
from parity.checks.verdict import Rung, Verdict
from parity.interface.trace import Gradients, Trajectory
from tests.checks.networks import (
    FRAMEWORKS,
    Spoil,
    X,
    climbed,
    headline,
    put_off,
    readings_alone,
    shown_by,
    trace,
)


@pytest.mark.parametrize("climb", [ladder.forward, ladder.gradients])
@pytest.mark.parametrize("count", [2, 3])
def test_equal_networks_are_the_same(climb, count: int) -> None:
    rung = climbed(climb, count=count)
    assert (rung.verdict, rung.layer) == (Verdict.SAME, "")
    assert {f.isolated for f in rung.findings} == {True, False}
    assert {f.mode for f in rung.findings} == {"training"}
    assert {f.name for f in rung.findings} >= {"", "first", "second"}


@pytest.mark.parametrize("count", [2, 3])
def test_a_layer_that_is_wrong_alone_is_named(count: int) -> None:
    rung = climbed(
        ladder.forward,
        lambda t: replace(t, outputs=put_off(t.outputs, "second", "")),
        lambda by: {**by, "second": replace(by["second"], output=by["second"].output * (1 + 1e-6))},
        count,
    )
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "second")
    assert headline(rung).isolated
    assert headline(rung).culprit == (None if count == 2 else "torch")


def test_a_layer_that_is_right_alone_got_another_input() -> None:
    rung = climbed(ladder.forward, lambda t: replace(t, outputs=put_off(t.outputs, "second", "")))
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "input of second")


@pytest.mark.parametrize("missing", ["first", ""])
def test_a_call_that_is_not_there_is_not_ruled_on(missing: str) -> None:
    rung = climbed(
        ladder.forward,
        lambda t: replace(t, outputs={call: a for call, a in t.outputs.items() if call != missing}),
        lambda by: {call: reading for call, reading in by.items() if call != missing},
    )
    assert rung.verdict is Verdict.INCONCLUSIVE
    assert headline(rung).reason == "not there in torch: nothing to compare"
    assert rung.layer == (missing or "network")


def test_a_call_that_is_there_in_one_framework_only_is_not_ruled_on() -> None:
    rung = climbed(ladder.forward, lambda t: replace(t, outputs={**t.outputs, "third": t.outputs["first"]}))
    assert (rung.verdict, rung.layer) == (Verdict.INCONCLUSIVE, "third")
    assert "not there in flax, numpy" in headline(rung).reason


def test_what_follows_from_a_cast_is_not_called_different() -> None:
    def cast(array: NDArray) -> NDArray:
        return array.astype(np.float32).astype(array.dtype)

    rung = climbed(
        ladder.forward,
        lambda t: replace(t, outputs=put_off({**t.outputs, "first": cast(t.outputs["first"])}, "second", "")),
        lambda by: {**by, "first": replace(by["first"], output=cast(by["first"].output))},
    )
    assert (rung.verdict, rung.layer) == (Verdict.INCONCLUSIVE, "first")
    assert {f.reason for f in rung.findings if f.name in ("second", "") and not f.isolated} == {"follows from first"}


def test_evaluation_is_looked_at_too() -> None:
    seen, alone = shown_by(trace, FRAMEWORKS), shown_by(readings_alone, FRAMEWORKS)
    wrong = {p: replace(t, outputs=put_off(t.outputs, "first")) for p, t in seen["torch"].items()}
    rung = ladder.forward(
        {"training": seen, "evaluation": {**seen, "torch": wrong}}, {"training": alone, "evaluation": alone}
    )
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "input of first")
    assert headline(rung).mode == "evaluation"


def _gradients(**change: Callable[[Gradients], Any]) -> Spoil:
    return lambda t: replace(
        t, gradients=replace(t.gradients, **{part: new(t.gradients) for part, new in change.items()})
    )


GRADIENTS: dict[str, tuple[Spoil, str]] = {
    "loss": (lambda t: replace(t, loss=t.loss * t.loss.dtype.type(8)), "loss"),
    "training": (
        lambda t: replace(t, training_gradients=put_off(t.training_gradients, "first.bias")),
        "training gradients",
    ),
    "output": (_gradients(outputs=lambda g: put_off(g.outputs, "first")), "what uses the output of first"),
    "input": (_gradients(input=lambda g: g.input * (1 + 1e-6)), "input"),
    "parameter": (_gradients(parameters=lambda g: put_off(g.parameters, "first.kernel")), "first.kernel"),
}


@pytest.mark.parametrize(("spoil", "layer"), GRADIENTS.values(), ids=GRADIENTS)
def test_every_gradient_counts(spoil: Spoil, layer: str) -> None:
    rung = climbed(ladder.gradients, spoil)
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, layer)
    assert headline(rung).culprit == "torch"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: replace(r, input_gradient=r.input_gradient * (1 + 1e-6)),
        lambda r: replace(r, parameter_gradients=put_off(r.parameter_gradients, "kernel")),
    ],
    ids=["input", "parameter"],
)
def test_a_layer_whose_gradients_are_wrong_alone_is_named(spoil) -> None:
    rung = climbed(
        ladder.gradients, GRADIENTS["parameter"][0], lambda readings: {**readings, "first": spoil(readings["first"])}
    )
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "first")
    assert headline(rung).isolated


def _state(off: float = 1.0, logits: float = 1.0) -> Rung:
    seen = shown_by(lambda dtype: ({"norm.running_mean": X.astype(dtype)}, X.astype(dtype)), FRAMEWORKS)
    seen["torch"] = {
        p: ({"norm.running_mean": b["norm.running_mean"] * off}, x * logits) for p, (b, x) in seen["torch"].items()
    }
    return ladder.state(seen)


def test_state_looks_at_statistics_and_at_what_comes_of_them() -> None:
    assert _state().verdict is Verdict.SAME
    assert (_state(1 + 1e-6).verdict, _state(1 + 1e-6).layer) == (Verdict.DIFFERENT, "norm.running_mean")
    assert headline(_state(logits=1 + 1e-6)).quantity == "logits afterwards"


def test_state_of_a_network_without_statistics_rests_on_its_logits() -> None:
    assert ladder.state(shown_by(lambda dtype: ({}, X.astype(dtype)), FRAMEWORKS)).verdict is Verdict.SAME


def test_update_names_array_and_step() -> None:
    seen = shown_by(lambda dtype: [{"parameter.kernel": (X * n).astype(dtype)} for n in (1, 2, 3)], FRAMEWORKS)
    assert ladder.update(seen).verdict is Verdict.SAME
    assert len(ladder.update(seen).findings) == 3
    for steps in seen["torch"].values():
        steps[1:] = [put_off(arrays, "parameter.kernel") for arrays in steps[1:]]
    rung = ladder.update(seen)
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "parameter.kernel after step 2")


def test_update_without_steps_is_no_pass() -> None:
    assert ladder.update(shown_by(lambda dtype: [], FRAMEWORKS)).verdict is Verdict.INCONCLUSIVE


def _run(off: float = 1.0, late: float = 1.0) -> Trajectory:
    return Trajectory(np.array([3.0, 2.0 * late, 1.0 * late]) / 7, {"kernel": X * off})


def test_trajectory_is_judged_against_its_own_drift() -> None:
    moved = dict.fromkeys(FRAMEWORKS, _run(1 + 1e-15, 1 + 1e-15))
    seen = dict.fromkeys(FRAMEWORKS, _run())
    assert ladder.trajectory(seen, moved).verdict is Verdict.SAME
    late = ladder.trajectory({**seen, "torch": _run(late=1.001)}, {**moved, "torch": _run(late=1.001)})
    assert (late.verdict, late.layer, headline(late).culprit) == (Verdict.DIFFERENT, "step 2", "torch")
    last = ladder.trajectory({**seen, "torch": _run(1.001)}, {**moved, "torch": _run(1.001)})
    assert (last.verdict, last.layer) == (Verdict.DIFFERENT, "kernel")
    restless = ladder.trajectory({**seen, "torch": _run(1 + 1e-9)}, {**moved, "torch": _run(1 + 1e-8)})
    assert restless.verdict is Verdict.SAME
