"""Another formula must be called different, however small its effect, and the twin that is wrong named."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Verdict
from tests.checks.made import numbers, pair, stored

ULP32 = float(np.finfo(np.float32).eps)


def _root(x: NDArray) -> NDArray:
    return np.sqrt(x * x + 1)


@pytest.mark.parametrize("off", [1e-3, 1e-7, 1e-8, 1e-9, 1e-10])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (64, 33), (100_000,)], ids=str)
def test_a_formula_off_by_a_relative_difference_is_different(off: float, shape: tuple[int, ...]) -> None:
    for seed in range(5):
        x = np.asarray(numbers(seed, *shape))
        twins = {"flax": pair(_root, x), "torch": pair(lambda x: _root(x) * x.dtype.type(1 + off), x)}
        assert rule("output", "x", twins).verdict is Verdict.DIFFERENT


def test_an_epsilon_below_what_float32_sees_is_different() -> None:
    x = numbers(0, 512, 5)

    def norm(eps: float):
        return lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + x.dtype.type(eps))

    flax, torch = pair(norm(1e-5), x), pair(norm(1.01e-5), x)
    assert flax.low is not None
    assert torch.low is not None
    assert (
        np.abs(flax.low - torch.low).max() < 4 * ULP32 * np.abs(flax.low).max()
    )  # what an ordinary comparison would have to see
    assert rule("output", "x", {"flax": flax, "torch": torch}).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("shape", [(100_000,), (10, 100, 100)], ids=str)
def test_one_wrong_element_of_many_is_found(shape: tuple[int, ...]) -> None:
    good = _root(numbers(1, *shape))
    index = tuple(size // 3 for size in shape)
    bad = good.copy()
    bad[index] *= 1 + ULP32
    found = rule("output", "x", {"flax": stored(good), "torch": stored(bad)})
    assert found.verdict is Verdict.DIFFERENT
    assert found.index == index
    assert found.values == {"flax": good[index], "torch": bad[index]}


def test_a_scalar_has_an_empty_index() -> None:
    found = rule("loss", "loss", {"flax": stored(np.array(2.3)), "torch": stored(np.array(2.4))})
    assert found.verdict is Verdict.DIFFERENT
    assert found.index == ()
    assert found.values == {"flax": 2.3, "torch": 2.4}


def test_something_against_nothing_is_different() -> None:
    found = rule("gradient", "x", {"flax": stored(np.zeros(5)), "torch": stored(np.full(5, 1e-30))})
    assert found.verdict is Verdict.DIFFERENT


def test_a_permutation_is_different_even_of_numbers_that_float32_holds() -> None:
    x = numbers(2, 6, 8)
    swapped = x.reshape(8, 6).T
    assert rule("output", "x", {"flax": stored(x), "torch": stored(swapped)}).verdict is Verdict.DIFFERENT
    y = _root(x)  # these float32 does not hold, their permutation cast to it does
    cast = _root(swapped).astype(np.float32).astype(np.float64)
    assert rule("output", "x", {"flax": stored(y), "torch": stored(cast)}).verdict is Verdict.DIFFERENT


def test_a_permutation_of_neighbouring_numbers_is_different() -> None:
    x = 1 + ULP32 * np.arange(48.0)  # the gap is no more than rounding in float32 explains
    assert rule("output", "x", {"flax": stored(x), "torch": stored(x[::-1])}).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("wrong", ["flax", "torch", "numpy"])
def test_the_odd_one_out_of_three_is_named(wrong: str) -> None:
    good = _root(numbers(3, 40))
    twins = {"flax": stored(good), "torch": stored(good * (1 + 1e-15)), "numpy": HighLow(good * (1 - 1e-15))}
    off = twins[wrong]
    twins[wrong] = HighLow(off.high * (1 + 1e-9), off.low)
    found = rule("output", "x", twins)
    assert found.verdict is Verdict.DIFFERENT
    assert found.culprit == wrong


def test_nobody_is_named_when_all_disagree_or_there_are_two() -> None:
    good = _root(numbers(4, 40))
    two = {"flax": stored(good), "torch": stored(good * 1.1)}
    assert rule("output", "x", two).culprit is None
    three = rule("output", "x", {**two, "numpy": HighLow(good * 1.2)})
    assert three.verdict is Verdict.DIFFERENT
    assert three.culprit is None


def test_nobody_is_named_when_all_are_the_same() -> None:
    good = _root(numbers(5, 40))
    assert rule("output", "x", {"flax": stored(good), "torch": stored(good), "numpy": HighLow(good)}).culprit is None
