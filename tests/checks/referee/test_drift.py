"""Training runs are judged against what one ulp at the start does to each of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks.referee import rule_drift
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import numbers

ULP = float(np.finfo(np.float64).eps)


def _run(x: NDArray, *, steps: int = 25, factor: float = 3.9) -> NDArray:
    for _ in range(steps):
        x = factor * x * (1 - x)
    return x


def _other_order(x: NDArray, *, steps: int = 25) -> NDArray:
    for _ in range(steps):
        x = 3.9 * (x - x * x)
    return x


def _drift(flax: NDArray, torch: NDArray, *moved: NDArray) -> Finding:
    """Of two runs, and of both from the moved start; without these nothing moves."""
    own = dict(zip(("flax", "torch"), moved or (flax, torch), strict=True))
    return rule_drift("weight afterwards", "w", {"flax": flax, "torch": torch}, own)


def _start(seed: int, size: int) -> NDArray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, size)


@pytest.mark.parametrize("size", [10, 100, 100_000])
def test_a_chaotic_run_in_another_order_is_the_same(size: int) -> None:
    for seed in range(20 if size < 1000 else 2):
        x = _start(seed, size)
        flax, torch = _run(x), _other_order(x)
        moved = x * (1 + ULP)
        assert np.abs(flax - torch).max() > 0
        assert _drift(flax, torch, _run(moved), _other_order(moved)).verdict is Verdict.SAME


@pytest.mark.parametrize("off", [1e-3, 1e-9, 1e-11])
def test_a_run_by_another_rule_is_different(off: float) -> None:
    x = _start(0, 100)
    moved = x * (1 + ULP)
    right, right_moved = _run(x, steps=5), _run(moved, steps=5)
    wrong, wrong_moved = (_run(start, steps=5, factor=3.9 * (1 + off)) for start in (x, moved))
    found = _drift(right, wrong, right_moved, wrong_moved)
    assert found.verdict is Verdict.DIFFERENT
    assert found.index == (int(np.abs(wrong - right).argmax()),)


def test_the_larger_drift_of_the_two_counts() -> None:
    x = _start(0, 50)
    other = x * (1 + 1e-9)
    assert _drift(x, other, x, other).verdict is Verdict.DIFFERENT
    assert _drift(x, other, x, other * (1 + 1e-9)).verdict is Verdict.SAME
    assert _drift(x, other, x * (1 + 1e-9), other).verdict is Verdict.SAME


def test_no_gap_is_no_share() -> None:
    for x in (numbers(0, 5), np.zeros(3), np.float64(0.3)):
        assert _drift(np.asarray(x), np.asarray(x)).share == 0


def test_the_odd_one_out_is_named() -> None:
    x = numbers(0, 5)
    values = {"flax": x, "torch": x * (1 + 1e-6), "numpy": x * (1 + 1e-16)}
    found = rule_drift("loss", "step 1", values, dict.fromkeys(values, x * (1 + 1e-15)) | {"torch": values["torch"]})
    assert found.culprit == "torch"


def test_what_cannot_be_compared_is_no_pass() -> None:
    x = numbers(0, 5)
    nan = x.copy()
    nan[2] = np.nan
    assert _drift(x, nan).verdict is Verdict.DIFFERENT
    assert _drift(nan, nan).verdict is Verdict.INCONCLUSIVE
    assert _drift(x, x[:3]).verdict is Verdict.DIFFERENT
    assert _drift(x[:0], x[:0]).verdict is Verdict.INCONCLUSIVE
    assert _drift(x.astype(np.float32), x).verdict is Verdict.INCONCLUSIVE
    assert rule_drift("loss", "", {"flax": x}, {"flax": x}).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("size", [1e-310, 1e-300, 1e-160, 1e160, 1e300])
def test_numbers_whose_squares_under_or_overflow(size: float) -> None:
    x = np.linspace(1, 2, 7) * size
    moved = np.nextafter(x, np.inf)
    assert _drift(x, moved, moved, x).verdict is Verdict.SAME
    assert _drift(x, x * 1.001, moved, np.nextafter(x * 1.001, np.inf)).verdict is Verdict.DIFFERENT
