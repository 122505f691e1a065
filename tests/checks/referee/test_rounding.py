"""One formula, computed in two orders: rounding must never be called a different formula."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks.referee import MARGIN, HighLow, rule
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import Formula, numbers, pair

SEEDS = range(25)


def _thirds(x: NDArray) -> NDArray:
    """Float64 adds float32 numbers without rounding; thirds of them it does not."""
    return x / x.dtype.type(3)


def _one_by_one(x: NDArray) -> NDArray:
    return np.cumsum(_thirds(x), axis=-1)[..., -1]


def _from_the_end(x: NDArray) -> NDArray:
    return _one_by_one(x[..., ::-1])


def _pairwise(x: NDArray) -> NDArray:
    return _thirds(x).sum(-1)


def _matmul(a: NDArray, b: NDArray) -> NDArray:
    return _thirds(a) @ b


def _by_blocks(a: NDArray, b: NDArray) -> NDArray:
    third, products = _thirds(a), np.zeros((), a.dtype)
    for i in range(0, len(b), 7):
        products = products + third[:, i : i + 7] @ b[i : i + 7]
    return products


def _chaos(x: NDArray) -> NDArray:
    for _ in range(12):
        x = x.dtype.type(3.9) * x * (1 - x)
    return x


def _chaos_expanded(x: NDArray) -> NDArray:
    for _ in range(12):
        x = x.dtype.type(3.9) * (x - x * x)
    return x


def _nothing(x: NDArray) -> NDArray:
    """Zero in theory, as the gradient of a bias in front of a BatchNorm."""
    return _one_by_one(x - x.mean(-1, keepdims=True))


def _nothing_backwards(x: NDArray) -> NDArray:
    return _from_the_end(x - x.mean(-1, keepdims=True))


def _rule(one: Formula, other: Formula, *arrays: NDArray) -> Finding:
    return rule("output", "x", {"flax": pair(one, *arrays), "torch": pair(other, *arrays)})


@pytest.mark.parametrize("shape", [(10,), (1000,), (1, 50), (100, 30), (100_000, 3)], ids=str)
@pytest.mark.parametrize("order", [_from_the_end, _pairwise])
def test_sums_in_another_order_are_the_same(shape: tuple[int, ...], order: Formula) -> None:
    found = [_rule(_one_by_one, order, numbers(seed, *shape)) for seed in SEEDS[: 4 if shape[0] > 1000 else None]]
    assert {f.verdict for f in found} == {Verdict.SAME}


def test_the_two_orders_do_round_differently() -> None:
    shares = [_rule(_one_by_one, _from_the_end, numbers(seed, 100, 30)).share for seed in SEEDS]
    assert min(shares) > 0
    assert max(shares) < MARGIN / 10


@pytest.mark.parametrize("inner", [3, 64, 500])
def test_matrix_products_by_blocks_are_the_same(inner: int) -> None:
    found = [_rule(_matmul, _by_blocks, numbers(s, 17, inner), numbers(s + 100, inner, 13)) for s in SEEDS]
    assert {f.verdict for f in found} == {Verdict.SAME}


def test_a_badly_conditioned_chain_is_the_same_although_float32_is_far_off() -> None:
    for seed in SEEDS:
        x = np.random.default_rng(seed).uniform(0.1, 0.9, 200).astype(np.float32).astype(np.float64)
        twins = {"flax": pair(_chaos, x), "torch": pair(_chaos_expanded, x)}
        low = [p.low for p in twins.values() if p.low is not None]
        assert np.abs(low[0] - low[1]).max() > 1e-5
        assert rule("output", "x", twins).verdict is Verdict.SAME


@pytest.mark.parametrize("rows", [1, 64])
def test_what_is_zero_in_theory_and_noise_in_practice_is_the_same(rows: int) -> None:
    found = [_rule(_nothing, _nothing_backwards, numbers(seed, rows, 999)) for seed in SEEDS]
    assert {f.verdict for f in found} == {Verdict.SAME}
    assert max(f.share for f in found) > 0


def test_a_reference_in_float64_alone_joins() -> None:
    x = numbers(0, 100, 30)
    twins = {"flax": pair(_one_by_one, x), "torch": pair(_pairwise, x), "numpy": HighLow(_from_the_end(x))}
    found = rule("output", "x", twins)
    assert found.verdict is Verdict.SAME
    assert set(found.bits) == {"flax", "torch"}
    assert all(20 < bits <= 24 for bits in found.bits.values())


def test_equal_arrays_have_no_gap() -> None:
    for x in (numbers(0, 30), np.zeros(4), np.float64(3.7), np.zeros((2, 3, 5, 7))):
        found = _rule(np.asarray, np.asarray, np.asarray(x))
        assert found.verdict is Verdict.SAME
        assert found.share == 0
