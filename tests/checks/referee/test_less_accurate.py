"""The same formula in lower precision: said so, with the framework and the bits it keeps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Verdict
from tests.checks.made import numbers, pair, rounded

FORMATS = {"TF32": 10, "bfloat16": 7}


def _product(a: NDArray, b: NDArray) -> NDArray:
    return a @ b


def _lazy(bits: int, a: NDArray, b: NDArray) -> HighLow:
    """A framework whose float32 products take operands of few bits."""
    low = rounded(a.astype(np.float32), bits) @ rounded(b.astype(np.float32), bits)
    return HighLow(a @ b, low)


@pytest.mark.parametrize("bits", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("side", ["flax", "torch"])
@pytest.mark.parametrize("inner", [1, 16, 64])
def test_low_precision_products_are_the_same_less_accurate(side: str, bits: int, inner: int) -> None:
    for seed in range(10):
        a, b = numbers(seed, 19, inner), numbers(seed + 50, inner, 11)
        twins = {"flax": pair(_product, a, b), "torch": pair(_product, a, b)} | {side: _lazy(bits, a, b)}
        found = rule("output", "x", twins)
        assert found.verdict is Verdict.LESS_ACCURATE
        assert found.verdict.passes
        assert found.reason == f"{side} keeps {found.bits[side]:.0f} bits of 24"
        assert bits - 1 < found.bits[side] < bits + 4
        assert all(kept > 20 for framework, kept in found.bits.items() if framework != side)


def _in_order(a: NDArray, b: NDArray) -> NDArray:
    """The product with every sum from the first to the last: the same rounding on every machine."""
    return np.cumsum(a[:, :, None] * b, axis=1)[:, -1]


@pytest.mark.parametrize("inner", [512, 4608])
def test_tf32_is_noticed_in_long_products(inner: int) -> None:
    a, b = numbers(0, 7, inner), numbers(1, inner, 11)
    twins = {"flax": pair(_in_order, a, b), "torch": _lazy(10, a, b)}
    assert rule("output", "x", twins).verdict is Verdict.LESS_ACCURATE


def test_both_in_low_precision_are_alike() -> None:
    a, b = numbers(0, 19, 64), numbers(1, 64, 11)
    assert rule("output", "x", {"flax": _lazy(10, a, b), "torch": _lazy(10, a, b)}).verdict is Verdict.SAME


def test_a_kink_says_nothing_of_accuracy() -> None:
    a, b = numbers(0, 19, 64), numbers(1, 64, 11)
    twins = {"flax": pair(_product, a, b), "torch": _lazy(7, a, b)}
    found = rule("gradient", "x", twins, smooth=False)
    assert found.verdict is Verdict.SAME
    assert found.reason == ""
    assert rule("gradient", "x", twins).verdict is Verdict.LESS_ACCURATE  # the one difference is `smooth`


def test_pure_rounding_noise_says_nothing_of_accuracy() -> None:
    def noise(x: NDArray) -> NDArray:
        return (x - x.mean(0)).sum(0)

    for seed in range(10):
        x = numbers(seed, 999, 5)
        centred = rounded((x - x.mean(0)).astype(np.float32), 7)
        found = rule("gradient", "x", {"flax": pair(noise, x), "torch": HighLow(noise(x), centred.sum(0))})
        assert found.verdict is Verdict.SAME


def test_luck_of_one_framework_is_not_held_against_the_other() -> None:
    """A single number may be exact in float32 by luck; the other's ordinary rounding is no lower precision."""
    x = np.array(3.0)
    twins = {
        "flax": HighLow(x, x.astype(np.float32)),
        "torch": HighLow(x, np.nextafter(x.astype(np.float32), np.float32(9))),
    }
    assert rule("loss", "loss", twins).verdict is Verdict.SAME


def test_a_different_formula_in_low_precision_is_different() -> None:
    a, b = numbers(0, 19, 64), numbers(1, 64, 11)
    lazy = _lazy(10, a, b)
    found = rule("output", "x", {"flax": pair(_product, a, b), "torch": HighLow(lazy.high * (1 + 1e-6), lazy.low)})
    assert found.verdict is Verdict.DIFFERENT
