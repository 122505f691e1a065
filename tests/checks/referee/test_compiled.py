"""Arrays that a compiler may have computed wrongly: beyond rounding, and beyond the drift of the function."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks.referee import beyond_drift, may_be_wrong

NUMBERS = np.random.default_rng(0)
HIGH = NUMBERS.standard_normal(1000)
LOW = HIGH.astype(np.float32)
EPS = {np.dtype(np.float32): 2.0**-23, np.dtype(np.float64): 2.0**-52}


def off(by: float, dtype: type) -> NDArray:
    """The numbers, wrong by so many units of rounding of a dtype."""
    return (HIGH * (1 + by * EPS[np.dtype(dtype)])).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_no_fault_and_more_is(dtype: type) -> None:
    assert not may_be_wrong(off(2, dtype), HIGH, LOW)
    assert may_be_wrong(off(1e4, dtype), HIGH, LOW)


def test_a_float32_pass_that_is_far_off_itself_allows_for_more() -> None:
    assert not may_be_wrong(off(1e4, np.float32), HIGH, off(1e3, np.float32))


def test_numbers_that_are_not_finite_are_a_fault_unless_the_right_ones_are_too() -> None:
    broken = LOW.copy()
    broken[3] = np.nan
    assert may_be_wrong(broken, HIGH, LOW)
    assert not may_be_wrong(broken, HIGH, broken)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_drifts_as_far_by_itself_is_no_fault(dtype: type) -> None:
    right: NDArray = HIGH.astype(dtype)
    assert beyond_drift(off(1e4, dtype), right, [right])
    assert beyond_drift(off(1e4, dtype), right, [off(2, dtype)])
    assert not beyond_drift(off(1e4, dtype), right, [right, off(-1e3, dtype)])
    assert not beyond_drift(off(2, dtype), right, [right])
