"""What differs by no more than a framework's own drift is not called different."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks import ladder
from parity.checks.drift import UNDETERMINED, as_float32, settled
from parity.checks.verdict import Verdict
from tests.checks.made import finding
from tests.checks.networks import FRAMEWORKS, Spoil, put_off, readings_alone, shown_by, trace

ULP = 2.0**-52


@dataclass(frozen=True)
class Seen:
    array: NDArray
    note: str = "as it is"


def test_arrays_are_off_by_their_largest_drift_as_float32_would_have_them() -> None:
    one, two = np.array([1.0, 2.0]), np.array([4.0])
    moved = [({"a": one + ULP}, Seen(two)), ({"a": one - 2 * ULP}, Seen(two + 4 * ULP, "other"))]
    walked, kept = as_float32(({"a": one}, Seen(two)), moved)
    assert np.array_equal(walked["a"], one + 2 * 2.0**-23)
    assert isinstance(kept, Seen) and kept.note == "as it is"
    assert np.array_equal(kept.array, two + 4 * 2.0**-23)


@pytest.mark.parametrize("what", [np.array([3, 4]), "words", 7, None, Seen], ids=repr)
def test_what_is_no_floating_array_stays_as_it_is(what: Any) -> None:
    assert as_float32(what, [what]) is what


def test_floating_arrays_of_any_precision_are_off() -> None:
    one = np.ones(3, np.float32)
    assert np.array_equal(as_float32(one, [one + np.float32(2.0**-20)]), one + 2.0**9)


def test_a_scalar_is_an_array_afterwards_too() -> None:
    off = as_float32(np.array(1.0), [np.array(1 + ULP)])
    assert isinstance(off, np.ndarray) and off == 1 + 2.0**-23


def test_numbers_that_are_not_finite_warn_nobody() -> None:
    seen = np.array([np.inf, 1.7e308, np.nan])
    off = as_float32(seen, [np.array([np.inf, 1.6e308, 0.0])])
    assert np.isnan(off[0]) and off[1] == np.inf and np.isnan(off[2])


def test_runs_of_other_lengths_are_no_drift() -> None:
    steps = (np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="zip"):
        as_float32(steps, [steps[:1]])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_difference_that_the_drift_explains_is_inconclusive(verdict: Verdict) -> None:
    found = [finding("a", Verdict.DIFFERENT), finding("b", Verdict.LESS_ACCURATE)]
    expected = replace(found[0], verdict=Verdict.INCONCLUSIVE, reason=UNDETERMINED) if verdict.passes else found[0]
    assert settled(found, [finding("a", verdict), finding("b")]) == [expected, found[1]]


@pytest.mark.parametrize("other", [{"quantity": "gradient"}, {"name": "b"}, {"mode": "training"}, {"isolated": True}])
def test_the_drift_of_another_quantity_explains_nothing(other: dict[str, Any]) -> None:
    found = finding("a", Verdict.DIFFERENT)
    assert settled([found], [replace(finding("a"), **other)]) == [found]


def _with(torch: Spoil, precision: str) -> dict[str, Any]:
    """Traces of training, with those of torch in a precision spoiled."""
    seen = shown_by(trace, FRAMEWORKS)
    seen["torch"] = {**seen["torch"], precision: torch(seen["torch"][precision])}
    return {"training": seen, "evaluation": shown_by(trace, FRAMEWORKS)}


@pytest.mark.parametrize(("drift", "verdict"), [(1.0, Verdict.INCONCLUSIVE), (1e-9, Verdict.DIFFERENT)])
def test_gradients_are_held_against_the_drift_of_their_mode(drift: float, verdict: Verdict) -> None:
    def wrong(t):
        return replace(t, training_gradients=put_off(t.training_gradients, "first.bias"))

    def drifting(t):
        off = {name: (array * (1 + drift)).astype(array.dtype) for name, array in t.training_gradients.items()}
        return replace(t, training_gradients=off)

    alone = dict.fromkeys(("training", "evaluation"), shown_by(readings_alone, FRAMEWORKS))
    traces = _with(wrong, "float64")
    second = {**traces, "training": {f: dict(by) for f, by in traces["training"].items()}}
    second["training"]["torch"]["float32"] = drifting(second["training"]["torch"]["float32"])
    assert ladder.gradients(traces, alone).verdict is Verdict.DIFFERENT
    rung = ladder.gradients(traces, alone, (second, alone))
    assert (rung.verdict, rung.layer) == (verdict, "training gradients")
    if verdict is Verdict.INCONCLUSIVE:
        assert [(f.name, f.mode, f.reason) for f in rung.findings if not f.verdict.passes] == [
            ("first.bias", "training", UNDETERMINED)
        ]
