"""The figures that a finding carries, on arrays whose norms are whole numbers."""

from dataclasses import replace
from math import isnan, log2

import numpy as np
import pytest

from parity.checks.referee import MARGIN, RATIO, SMALLEST, STORED, HighLow, only_rounding, rule, rule_drift
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import numbers, stored


def _pair(high: list[float], low: list[float] | None = None) -> HighLow:
    return HighLow(np.array(high, np.float64), np.array(high if low is None else low, np.float32))


def test_a_difference_says_everything() -> None:
    found = rule("output", "x", {"flax": _pair([3, 4], [3, 5]), "torch": _pair([6, 8])}, mode="training")
    assert found == Finding(
        "output",
        "x",
        Verdict.DIFFERENT,
        share=5 / RATIO,
        bits={"flax": -log2(0.1), "torch": 24.0},
        index=(1,),
        values={"flax": 4.0, "torch": 8.0},
        mode="training",
        gap=0.5,
        errors={"flax": 0.1, "torch": 0.0},
    )


def test_what_is_the_same_says_no_place() -> None:
    found = rule("output", "x", {"flax": _pair([3, 4], [3, 5]), "torch": _pair([3, 4])})
    bits, errors = {"flax": -log2(0.2), "torch": 24.0}, {"flax": 0.2, "torch": 0.0}
    assert found == Finding("output", "x", Verdict.SAME, bits=bits, errors=errors)


def test_a_drift_says_everything() -> None:
    values = {"flax": np.array([3.0, 4.0]), "torch": np.array([6.0, 8.0]), "numpy": np.array([3.0, 4.0])}
    own = {"flax": np.array([3.0, 4 + 2.0**-20]), "torch": values["torch"]}
    assert rule_drift("weight afterwards", "kernel", values, own) == Finding(
        "weight afterwards",
        "kernel",
        Verdict.DIFFERENT,
        share=5 * 2.0**20,
        index=(1,),
        values={"flax": 4.0, "torch": 8.0, "numpy": 4.0},
        culprit="torch",
        gap=0.5,
    )


def test_a_drift_of_nothing_is_held_against_storing_the_numbers() -> None:
    values = {"flax": np.array([3.0, 4.0]), "torch": np.array([3.0, 4 + 2.0**-40])}
    found = rule_drift("loss", "step 1", values, {})
    assert found.share == pytest.approx(2.0**-40 / (RATIO * STORED * 5))
    assert found.verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("scale", [1e-310, 1e-160, 1e-99, 1e-20, 1.0, 1e20, 1e99, 1e160, 1e307])
def test_gaps_are_relative_to_the_size_whatever_that_is(scale: float) -> None:
    values = {"flax": np.array([3.0, 4.0]) * scale, "torch": np.array([6.0, 8.0]) * scale}
    found = rule_drift("loss", "step 1", values, values)
    assert found.gap == pytest.approx(0.5)
    assert found.share == pytest.approx(5 * scale / max(RATIO * STORED * 10 * scale, SMALLEST))


def test_zeros_have_no_bits_no_gap_and_no_errors() -> None:
    found = rule("output", "x", {"flax": _pair([0, 0]), "torch": _pair([0, 0])})
    assert all(isnan(bits) for bits in found.bits.values()) and list(found.bits) == ["flax", "torch"]
    assert replace(found, bits={}) == Finding("output", "x", Verdict.SAME, errors={"flax": 0.0, "torch": 0.0})


@pytest.mark.parametrize(("error", "bits"), [(0, 24), (2.0**-40, 24), (2.0**-12, 12), (0.5, 1), (1, 0), (9, 0)])
def test_bits_are_those_of_float32(error: float, bits: float) -> None:
    off = _pair([1, error], [1, 0]) if error < 2.0**-12 else _pair([1, 0], [1, error])
    assert rule("output", "x", {"flax": off, "torch": off}).bits == {"flax": bits, "torch": bits}


@pytest.mark.parametrize("gap", [0.0, 1.0, 2.0])
def test_only_no_gap_is_none(gap: float) -> None:
    values = {"flax": np.array([0.0, 8.0]), "torch": np.array([gap, 8.0])}
    found = rule_drift("loss", "step 1", values, {})
    assert (found.gap > 0, found.share > 0, found.verdict.passes) == (gap > 0, gap > 0, gap == 0)


def test_exactly_the_threshold_is_the_same() -> None:
    def drift(gap: float) -> Finding:
        values = {"flax": np.array([1.0]), "torch": np.array([1 + gap]), "numpy": np.array([2.0])}
        return rule_drift("loss", "step 1", values, {"flax": np.array([1 + 2.0**-40])})

    assert drift(2.0**-30).culprit == "numpy"  # the two others agree, just so
    assert drift(2.0**-29).culprit is None
    two = {"flax": np.array([1.0]), "torch": np.array([1 + 2.0**-30])}
    found = rule_drift("loss", "step 1", two, {"flax": np.array([1 + 2.0**-40])})
    assert (found.share, found.verdict) == (MARGIN, Verdict.SAME)


def test_no_gap_beyond_all_numbers_is_excused_by_a_drift_beyond_them() -> None:
    values = {"flax": np.full(3, 1.7e308), "torch": np.full(3, -1.7e308)}
    found = rule_drift("loss", "step 1", values, {"flax": -values["flax"]})
    assert (found.verdict, found.share) == (Verdict.DIFFERENT, np.inf)


def test_what_cannot_be_ruled_on_says_what_it_is() -> None:
    empty = np.ones((0, 3))
    expected = Finding("output", "x", Verdict.INCONCLUSIVE, share=np.inf, reason="nothing was compared")
    pairs = {"flax": stored(empty), "torch": stored(empty)}
    assert rule("output", "x", pairs) == expected
    assert rule("output", "x", pairs, mode="evaluation") == replace(expected, mode="evaluation")
    assert rule_drift("output", "x", {"flax": empty, "torch": empty}, {}) == expected


@pytest.mark.parametrize(("count", "verdict"), [(4, Verdict.SAME), (5, Verdict.LESS_ACCURATE)])
def test_four_numbers_may_be_right_by_luck(count: int, verdict: Verdict) -> None:
    exact = numbers(0, count)
    off = HighLow(exact, (exact * (1 + 2.0**-9)).astype(np.float32))
    assert rule("output", "x", {"flax": stored(exact), "torch": off}).verdict is verdict


@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**20])
def test_low_precision_is_told_at_any_size(scale: float) -> None:
    exact = numbers(0, 50) * scale
    off = HighLow(exact, (exact * (1 + 2.0**-9)).astype(np.float32))
    found = rule("output", "x", {"flax": stored(exact), "torch": off})
    assert (found.verdict, found.reason) == (Verdict.LESS_ACCURATE, "torch keeps 9 bits of 24")


@pytest.mark.parametrize(("error", "verdict"), [(2.0**18, Verdict.LESS_ACCURATE), (2.0**19, Verdict.SAME)])
def test_an_array_that_is_nothing_but_rounding_keeps_no_bits(error: float, verdict: Verdict) -> None:
    unit = [1.0, 0, 0, 0, 0]
    assert rule("output", "x", {"flax": _pair(unit), "torch": _pair(unit, [1, error, 0, 0, 0])}).verdict is verdict


def test_one_twin_that_is_not_the_reference_is_different() -> None:
    array = np.linspace(0.1, 1, 7)
    found = rule("output", "x", {"flax": stored(array), "numpy": HighLow(array * (1 + 1e-9))})
    assert (found.verdict, found.reason) == (Verdict.DIFFERENT, "")


@pytest.mark.parametrize(
    ("share", "gap", "nothing_else"),
    [
        (900.0, 1.0, True),
        (0.5, 1.0, True),
        (MARGIN, 1.0, True),
        (900.0, 0.5, False),
        (62.0, 3.75e-11, False),
        (0.0, 0.0, False),
    ],
)
def test_an_array_that_is_nothing_but_rounding_is_known_by_its_size(
    share: float, gap: float, nothing_else: bool
) -> None:
    """Its size is the share over the gap, in units of the rounding that is expected."""
    assert only_rounding(Finding("gradient", "bias", Verdict.SAME, share=share, gap=gap)) is nothing_else
