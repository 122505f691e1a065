"""What the rungs say of each thing that they compared: which rung, which quantity, of what, in which mode, and how."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks import ladder
from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.trace import Trajectory
from tests.checks.made import rounded
from tests.checks.networks import CALLS, FRAMEWORKS, X, climbed, readings_alone, shown_by, trace

MODES = ("evaluation", "training")


def _said(rung: Rung) -> list[tuple[str, str, str, bool]]:
    return [(f.quantity, f.name, f.mode, f.isolated) for f in rung.findings]


def _of_both_modes(climb) -> Rung:
    seen, alone = shown_by(trace, FRAMEWORKS), shown_by(readings_alone, FRAMEWORKS)
    return climb(dict.fromkeys(MODES, seen), dict.fromkeys(MODES, alone))


def test_forward_says_every_output_in_both_modes_with_others_and_alone() -> None:
    rung = _of_both_modes(ladder.forward)
    assert (rung.number, rung.name) == (2, "forward")
    assert _said(rung) == [
        said
        for mode in MODES
        for said in (
            *(("output", call, mode, False) for call in CALLS),
            *(("output", call, mode, True) for call in CALLS[:2]),
        )
    ]


def test_gradients_say_what_they_are_of_in_both_modes() -> None:
    rung = _of_both_modes(ladder.gradients)
    assert (rung.number, rung.name) == (3, "gradients")
    weights = ("first.kernel", "first.bias")
    assert _said(rung) == [
        said
        for mode in MODES
        for said in (
            ("loss", "loss", mode, False),
            *(("training gradient", name, mode, False) for name in weights),
            *(("gradient of output", call, mode, False) for call in CALLS),
            ("gradient of input", "input", mode, False),
            *(("gradient", name, mode, False) for name in weights),
            *(("gradient of input", call, mode, True) for call in CALLS[:2]),
            ("gradient", "first:kernel", mode, True),
        )
    ]


def test_state_is_of_training_and_what_comes_of_it_of_evaluation() -> None:
    rung = ladder.state(shown_by(lambda dtype: ({"norm.running_mean": X.astype(dtype)}, X.astype(dtype)), FRAMEWORKS))
    assert (rung.number, rung.name) == (4, "state")
    assert _said(rung) == [
        ("buffer", "norm.running_mean", "training", False),
        ("logits afterwards", "", "evaluation", False),
    ]


def test_update_says_the_step() -> None:
    rung = ladder.update(shown_by(lambda dtype: [{"kernel": (X * n).astype(dtype)} for n in (1, 2)], FRAMEWORKS))
    assert (rung.number, rung.name) == (5, "update")
    assert _said(rung) == [("optimizer", f"kernel after step {step}", "", False) for step in (1, 2)]


def test_trajectory_says_losses_by_step_then_weights_in_the_order_of_the_last() -> None:
    weights = {"kernel": X, "bias": X[0]}
    runs = {f: Trajectory(np.array([0.3, 0.2]), weights) for f in ("flax", "torch")}
    runs["numpy"] = Trajectory(np.array([0.3, 0.2]), dict(reversed(weights.items())))
    rung = ladder.trajectory(runs, runs)
    assert (rung.number, rung.name) == (6, "trajectory")
    assert _said(rung) == [
        ("loss", "step 1", "", False),
        ("loss", "step 2", "", False),
        ("weight afterwards", "bias", "", False),
        ("weight afterwards", "kernel", "", False),
    ]


def test_data_says_epoch_and_step() -> None:
    rung = ladder.data({"flax": ["a", "b"], "torch": ["a", "b"]}, [(0, 3), (1, 0)])
    assert (rung.number, rung.name) == (8, "data")
    assert _said(rung) == [("batch", "epoch 0 step 3", "", False), ("batch", "epoch 1 step 0", "", False)]
    assert rung.findings[1].reason == "flax b, torch b"


def test_one_framework_alone_holds_no_equal_batches() -> None:
    assert ladder.data({"flax": ["a"]}, [(0, 0)]).verdict is Verdict.INCONCLUSIVE


def test_structure_says_maps_and_counts() -> None:
    net = {"features.0.kernel": (3, 5), "features.0.bias": (5,)}
    rung = ladder.structure({"flax": net, "torch": net}, 20)
    assert (rung.number, rung.name) == (1, "structure")
    assert rung.findings == (
        Finding("weight map", "", Verdict.SAME, reason="2 arrays in both"),
        Finding("parameter count", "", Verdict.SAME, reason="20 learnable parameters in flax, 20 stated"),
        Finding("parameter count", "", Verdict.SAME, reason="20 learnable parameters in torch, 20 stated"),
    )
    odd = ladder.structure({"flax": {"features.0.kernel": (5, 3), "more": ()}, "torch": net}, None)
    said = (
        "flax against torch: missing features.0.bias (5,); extra more (); "
        "features.0.kernel has shape (5, 3), expected (3, 5)"
    )
    assert odd.findings == (Finding("weight map", "features.0", Verdict.DIFFERENT, reason=said),)


def test_structure_of_one_framework_says_that_nothing_was_compared() -> None:
    found = Finding("weight map", "", Verdict.INCONCLUSIVE, reason="nothing was compared")
    assert ladder.structure({"flax": {"bias": (3,)}}, None).findings == (found,)


def test_what_stands_behind_a_missing_call_is_still_ruled_on() -> None:
    rung = climbed(
        ladder.forward,
        lambda t: replace(t, outputs={call: array for call, array in t.outputs.items() if call != "first"}),
        lambda by: {"second": by["second"]},
    )
    first = Finding(
        "output", "first", Verdict.INCONCLUSIVE, reason="not there in torch: nothing to compare", mode="training"
    )
    assert [f for f in rung.findings if f.name == "first"] == [first, replace(first, isolated=True)]
    assert [f.name for f in rung.findings if f.verdict is Verdict.SAME] == ["second", "", "second"]


def _in_few_bits(array: NDArray) -> NDArray:
    return rounded(array, 7) if array.dtype == np.float32 else array


def test_low_precision_is_told_of_outputs() -> None:
    rung = climbed(
        ladder.forward, lambda t: replace(t, outputs={call: _in_few_bits(array) for call, array in t.outputs.items()})
    )
    assert (rung.verdict, rung.layer) == (Verdict.LESS_ACCURATE, "input of first")


@pytest.mark.parametrize("part", ["training", "outputs", "input", "parameters", "input alone", "parameters alone"])
def test_low_precision_is_not_told_of_gradients_for_they_have_kinks(part: str) -> None:
    def few(arrays: dict[str, NDArray]) -> dict[str, NDArray]:
        return {name: _in_few_bits(array) for name, array in arrays.items()}

    def traces(t):
        match part:
            case "training":
                return replace(t, training_gradients=few(t.training_gradients))
            case "outputs":
                return replace(t, gradients=replace(t.gradients, outputs=few(t.gradients.outputs)))
            case "input":
                return replace(t, gradients=replace(t.gradients, input=_in_few_bits(t.gradients.input)))
            case "parameters":
                return replace(t, gradients=replace(t.gradients, parameters=few(t.gradients.parameters)))
        return t

    def readings(by):
        match part:
            case "input alone":
                return {call: replace(r, input_gradient=_in_few_bits(r.input_gradient)) for call, r in by.items()}
            case "parameters alone":
                return {call: replace(r, parameter_gradients=few(r.parameter_gradients)) for call, r in by.items()}
        return by

    rung = climbed(ladder.gradients, traces, readings)
    assert rung.verdict is Verdict.SAME
    kept = [bits["torch"] for f in rung.findings if (bits := f.bits) and f.quantity != "loss"]
    assert min(kept) < 12  # what the rung was shown is of low precision indeed
