"""Whatever the numbers, the referee gives a verdict, never a false one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from parity.checks.referee import HighLow, rule, rule_drift
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import stored

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
ANYTHING = hnp.arrays(np.float64, SHAPES)
repeatable = settings(derandomize=True, deadline=None, database=None, max_examples=100)


def _arrays(largest: float, smallest: float = 0.0) -> st.SearchStrategy[NDArray]:
    """Arrays that hold something, none of it larger or, but for zeros, smaller than that."""
    size = st.floats(smallest, largest)
    elements = st.one_of(size, size.map(lambda x: -x), st.just(0.0))
    return hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=4), elements=elements)


def _rule(flax: NDArray, torch: NDArray) -> Finding:
    return rule("output", "x", {"flax": stored(flax), "torch": stored(torch)})


def _drift(flax: NDArray, torch: NDArray) -> Finding:
    away = {"flax": np.nextafter(flax, np.inf), "torch": np.nextafter(torch, np.inf)}
    return rule_drift("output", "x", {"flax": flax, "torch": torch}, away)


@repeatable
@given(ANYTHING, ANYTHING)
def test_two_arrays_of_anything_get_a_verdict(flax: NDArray, torch: NDArray) -> None:
    with np.errstate(all="ignore"):
        assert isinstance(_rule(flax, torch), Finding)
        assert isinstance(_drift(flax, torch), Finding)


@repeatable
@given(st.data(), SHAPES)
def test_two_arrays_of_one_shape_get_a_verdict(data: st.DataObject, shape: tuple[int, ...]) -> None:
    flax, torch = (data.draw(hnp.arrays(np.float64, shape)) for _ in range(2))
    with np.errstate(all="ignore"):
        for found in (_rule(flax, torch), _drift(flax, torch)):
            assert found.verdict.passes <= bool(np.isfinite([flax, torch]).all() and flax.size)


@repeatable
@given(_arrays(1e300))
def test_identical_arrays_are_never_different(array: NDArray) -> None:
    with np.errstate(invalid="ignore"):
        assert _rule(array, array.copy()).verdict is not Verdict.DIFFERENT
    assert _drift(array, array.copy()).verdict is Verdict.SAME


@repeatable
@given(_arrays(3e38))
def test_identical_arrays_that_float32_holds_are_the_same(array: NDArray) -> None:
    found = _rule(array, array.copy())
    assert (found.verdict, found.share) == (Verdict.SAME, 0)


@repeatable
@given(_arrays(1e38, 1e-300), st.sampled_from([1e-3, -1e-3, 0.5, -2.0]))
def test_a_thousandth_is_never_the_same(array: NDArray, off: float) -> None:
    """Below what float32 holds as normal numbers, one side's may be exact by chance and the other's all rounding."""
    other = array * (1 + off)
    if array.any():
        ruled = _rule(array, other).verdict
        normal = np.abs(array[array != 0]).min() >= np.finfo(np.float32).tiny
        assert ruled is Verdict.DIFFERENT or (not normal and ruled is Verdict.INCONCLUSIVE)
        assert _drift(array, other).verdict is Verdict.DIFFERENT


@repeatable
@given(_arrays(3e38, 1e-300))
def test_the_last_bit_is_always_the_same(array: NDArray) -> None:
    other = np.where(array == 0, array, np.nextafter(array, np.inf))
    assert _rule(array, other).verdict is Verdict.SAME
    assert _drift(array, other).verdict is Verdict.SAME


@pytest.mark.parametrize("array", [[np.inf, -np.inf], [1.7e308, 1.7e308]], ids=str)
def test_no_warning_reaches_the_user(array: list[float]) -> None:
    assert _rule(np.array(array), np.array(array)).verdict is Verdict.INCONCLUSIVE


def test_opposite_numbers_near_the_largest_are_different() -> None:
    array = np.full(100, 1.7e308)
    own = {"flax": np.nextafter(array, 0), "torch": np.nextafter(-array, 0)}
    assert rule_drift("output", "x", {"flax": array, "torch": -array}, own).verdict is Verdict.DIFFERENT


def test_the_last_bit_of_the_smallest_numbers_is_the_same() -> None:
    array = np.full(3, 1e-318)
    assert _rule(array, np.nextafter(array, 1)).verdict is Verdict.SAME


def test_one_twin_against_the_reference() -> None:
    array = np.linspace(0.1, 1, 7)
    assert rule("output", "x", {"flax": stored(array), "numpy": HighLow(array)}).verdict is Verdict.SAME
