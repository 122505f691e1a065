"""What the referee cannot rule on is never a pass; what cannot be compared is told in words."""

import numpy as np
import pytest

from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import numbers, stored

NAN, INF = float("nan"), float("inf")


def _two(flax: np.ndarray, torch: np.ndarray) -> Finding:
    return rule("output", "x", {"flax": stored(flax), "torch": stored(torch)})


def _with(value: float, index: int = 3) -> np.ndarray:
    array = numbers(0, 12) / 3
    array[index] = value
    return array


def test_other_shapes_are_different() -> None:
    found = _two(np.ones((2, 3)), np.ones((3, 2)))
    assert found.verdict is Verdict.DIFFERENT
    assert found.reason == "shapes (2, 3) in flax against (3, 2) in torch"


@pytest.mark.parametrize("shapes", [((), (1,)), ((3,), (1, 3)), ((0,), (5,))], ids=str)
def test_shapes_that_would_broadcast_are_different(shapes: tuple[tuple[int, ...], ...]) -> None:
    assert _two(np.ones(shapes[0]), np.ones(shapes[1])).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5)], ids=str)
def test_empty_arrays_are_not_ruled_on(shape: tuple[int, ...]) -> None:
    found = _two(np.ones(shape), np.ones(shape))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "nothing was compared"


def test_one_framework_or_none_is_not_ruled_on() -> None:
    for values in ({}, {"flax": stored(np.ones(3))}):
        assert rule("output", "x", values).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_another_precision_than_float64_is_not_ruled_on(dtype: type) -> None:
    found = _two(np.ones(3), np.ones(3, dtype))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert f"got {np.dtype(dtype)} where float64" in found.reason


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_not_finite_on_one_side_is_different(value: float) -> None:
    for found in (_two(_with(value), _with(1.0)), _two(_with(1.0), _with(value)), _two(_with(value), _with(value, 4))):
        assert found.verdict is Verdict.DIFFERENT
        assert "not finite" in found.reason
    assert "1 in flax, 0 in torch" in _two(_with(value), _with(1.0)).reason


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_not_finite_on_every_side_is_not_ruled_on(value: float) -> None:
    found = _two(_with(value), _with(value))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "1 numbers are not finite on every side"


def test_all_nan_is_not_ruled_on() -> None:
    assert _two(np.full((), NAN), np.full((), NAN)).verdict is Verdict.INCONCLUSIVE


def test_nan_in_the_reference_alone_is_different() -> None:
    found = rule("output", "x", {"flax": stored(_with(1.0)), "torch": stored(_with(1.0)), "numpy": HighLow(_with(NAN))})
    assert found.verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("value", [1e39, -1e300])
def test_an_overflow_of_float32_alone_is_not_ruled_on(value: float) -> None:
    found = _two(_with(value), _with(value))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "float32 overflows: no error to compare with"


@pytest.mark.parametrize("value", [NAN, INF])
def test_an_overflow_of_float32_on_one_side_is_told(value: float) -> None:
    good = _with(1.0)
    found = rule("output", "x", {"flax": stored(good), "torch": HighLow(good, _with(value).astype(np.float32))})
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "not finite in torch in float32 alone: 1 of 12 numbers"


def test_an_overflow_of_float32_on_both_sides_is_not_ruled_on() -> None:
    good = _with(1.0)
    bad = [HighLow(good, _with(NAN, index).astype(np.float32)) for index in (2, 3)]
    found = rule("output", "x", {"flax": bad[0], "torch": bad[1]})
    assert found.verdict is Verdict.INCONCLUSIVE


def test_an_overflow_at_a_number_that_float32_does_not_hold_is_not_ruled_on() -> None:
    large = _with(3.4e38)
    found = rule("output", "x", {"flax": stored(large), "torch": HighLow(large, _with(INF).astype(np.float32))})
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("side", ["flax", "torch"])
@pytest.mark.parametrize("reference", [False, True])
def test_a_cast_to_float32_inside_is_not_ruled_on(side: str, reference: bool) -> None:
    exact = numbers(1, 300) / 3
    twins = {"flax": stored(exact), "torch": stored(exact)}
    twins[side] = stored(exact.astype(np.float32).astype(np.float64))
    found = rule("output", "x", {**twins, **({"numpy": HighLow(exact)} if reference else {})})
    assert found.verdict is Verdict.INCONCLUSIVE
    assert not found.verdict.passes
    assert found.reason.startswith(f"{side} computes this in float32")


def test_a_cast_does_not_excuse_a_larger_gap() -> None:
    exact = numbers(1, 300) / 3
    cast = (exact * 1.01).astype(np.float32).astype(np.float64)
    assert _two(exact, cast).verdict is Verdict.DIFFERENT


def test_zeros_are_no_cast_however_coarse_the_other_side_rounds() -> None:
    exact = numbers(1, 300) / 3
    coarse = HighLow(exact, (exact * 1.01).astype(np.float32))  # as in bfloat16
    found = rule("gradient", "x", {"flax": stored(np.zeros_like(exact)), "torch": coarse})
    assert found.verdict is Verdict.DIFFERENT
