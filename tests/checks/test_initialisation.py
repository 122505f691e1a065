"""Rung 7: one distribution raises no alarm over many draws; another one does, and its framework is named."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from parity.checks.initialisation import initialisation
from parity.checks.verdict import Finding, Verdict

Draw = Callable[[Generator, int], NDArray]

UNIFORM: Draw = lambda rng, n: rng.uniform(-1, 1, (2, n // 2))  # noqa: E731 # a table of distributions
NORMAL: Draw = lambda rng, n: rng.normal(0, 3**-0.5, (2, n // 2))  # noqa: E731 # as above; UNIFORM's deviation
ZERO: Draw = lambda rng, n: np.zeros((2, n // 2))  # noqa: E731 # as above


def _scaled(draw: Draw, factor: float, shift: float = 0.0) -> Draw:
    return lambda rng, n: factor * draw(rng, n) + shift


def _truncated(rng: Generator, n: int) -> NDArray:
    drawn = rng.normal(size=2 * n)
    return drawn[np.abs(drawn) < 2][:n] * 3**-0.5


def _rule(seed: int, n: int, **draws: Draw) -> Finding:
    rng = np.random.default_rng(seed)
    rung = initialisation({framework: {"kernel": draw(rng, n)} for framework, draw in draws.items()})
    return rung.findings[0]


@pytest.mark.parametrize("n", [32, 512, 5000])
@pytest.mark.parametrize("draw", [UNIFORM, NORMAL, ZERO], ids=["uniform", "normal", "zero"])
def test_one_distribution_raises_no_alarm(draw: Draw, n: int) -> None:
    found = [_rule(seed, n, flax=draw, torch=draw, numpy=draw) for seed in range(200 if n < 5000 else 20)]
    assert {f.verdict for f in found} == {Verdict.SAME}
    assert max(f.share for f in found) < 1


OTHERS: dict[str, tuple[int, Draw, Draw]] = {
    "uniform for normal": (20_000, UNIFORM, NORMAL),
    "deviation times 1.137": (10_000, NORMAL, _scaled(NORMAL, 1.137)),
    "deviation times 1/1.137": (10_000, UNIFORM, _scaled(UNIFORM, 1 / 1.137)),
    "deviation times 1.7": (512, UNIFORM, _scaled(UNIFORM, 1.7)),
    "truncated": (10_000, NORMAL, _truncated),
    "shifted": (3000, NORMAL, _scaled(NORMAL, 1.0, 0.15)),
    "zero biases": (64, UNIFORM, ZERO),
    "another constant": (4, ZERO, _scaled(ZERO, 1.0, 1.0)),
}


@pytest.mark.parametrize(("n", "right", "wrong"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("side", ["flax", "torch", "numpy"])
def test_another_distribution_is_different_and_its_framework_named(n: int, right: Draw, wrong: Draw, side: str) -> None:
    for seed in range(3):
        found = _rule(seed, n, **(dict.fromkeys(("flax", "torch", "numpy"), right) | {side: wrong}))
        assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, side)
        assert found.share >= 1


def test_of_two_nobody_is_named() -> None:
    found = _rule(0, 20_000, flax=UNIFORM, torch=NORMAL)
    assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, None)


def test_of_three_that_all_differ_nobody_is_named() -> None:
    found = _rule(0, 5000, flax=UNIFORM, torch=_scaled(UNIFORM, 2), numpy=_scaled(UNIFORM, 4))
    assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, None)


def test_the_reason_says_what_was_drawn() -> None:
    reason = _rule(0, 3000, flax=NORMAL, torch=_scaled(NORMAL, 1.7)).reason
    assert "in flax" in reason
    assert "in torch" in reason
    assert "p " in reason


def test_only_the_wrong_array_is_named() -> None:
    rng = np.random.default_rng(0)
    draws = {f: {name: UNIFORM(rng, 20_000) for name in ("a.scale", "b.scale", "b.bias")} for f in ("flax", "torch")}
    draws["torch"]["b.scale"] = NORMAL(rng, 20_000)
    rung = initialisation(draws)
    assert rung.layer == "b.scale"
    assert [f.verdict for f in rung.findings] == [Verdict.SAME, Verdict.DIFFERENT, Verdict.SAME]


def _orthogonal(rng: np.random.Generator, seeds: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(seeds, 23, 23)))[0]


def test_normal_columns_are_not_orthogonal_ones() -> None:
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(5, 23, 23)) / 23**0.5
    draws = {"flax": _orthogonal(rng, 5), "torch": normal, "numpy": _orthogonal(rng, 5)}
    rung = initialisation({f: {"hh.kernel": array} for f, array in draws.items()})
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "hh.kernel")
    entries, lengths = rung.findings
    assert (entries.verdict, lengths.culprit) == (Verdict.SAME, "torch")


def test_rounding_of_the_lengths_is_no_difference() -> None:
    rng = np.random.default_rng(0)
    draws = {"flax": _orthogonal(rng, 5).astype(np.float32), "torch": _orthogonal(rng, 5)}
    assert initialisation({f: {"hh.kernel": array} for f, array in draws.items()}).verdict is Verdict.SAME


@pytest.mark.parametrize("shape", [(7, 3, 3, 5, 11), (7, 5, 11), (2, 1, 1)])
def test_correct_kernels_raise_no_alarm(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    rungs = [initialisation({f: {"a.kernel": rng.normal(size=shape)} for f in ("flax", "torch")}) for _ in range(50)]
    assert {rung.verdict for rung in rungs} == {Verdict.SAME}


def test_order_and_number_of_draws_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    drawn = UNIFORM(rng, 2000)
    rung = initialisation({"flax": {"w": drawn}, "torch": {"w": drawn[::-1]}, "numpy": {"w": UNIFORM(rng, 600)}})
    assert rung.verdict is Verdict.SAME


def test_no_arrays_are_no_pass() -> None:
    assert initialisation({"flax": {}, "torch": {}}).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("n", [1, 2, 4])
def test_tiny_arrays_raise_no_alarm(n: int) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        rungs = [initialisation({f: {"bias": rng.uniform(-1, 1, n)} for f in ("flax", "torch")}) for _ in range(200)]
    assert {rung.verdict for rung in rungs} == {Verdict.SAME}


def test_constants_that_their_mean_rounds_are_constants() -> None:
    with np.errstate(all="ignore"):
        rung = initialisation({"flax": {"bias": np.full(9, 0.1)}, "torch": {"bias": np.full(7, 0.1)}})
    assert rung.verdict is Verdict.SAME


def test_nan_among_the_weights_is_no_pass() -> None:
    drawn = np.random.default_rng(0).normal(size=100)
    spoiled = np.where(np.arange(100) == 3, np.nan, drawn)
    rung = initialisation({"flax": {"w": spoiled}, "torch": {"w": drawn}, "numpy": {"w": drawn}})
    assert not rung.verdict.passes
