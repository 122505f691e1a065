"""Rung 7: one distribution raises no alarm over many draws; another one does, and its framework is named."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from parity.checks.initialisation import FEW, LEVEL, SAMPLE, initialisation
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
    found = [_rule(seed, n, jax=draw, torch=draw, numpy=draw) for seed in range(200 if n < 5000 else 20)]
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
@pytest.mark.parametrize("side", ["jax", "torch", "numpy"])
def test_another_distribution_is_different_and_its_framework_named(n: int, right: Draw, wrong: Draw, side: str) -> None:
    for seed in range(3):
        found = _rule(seed, n, **(dict.fromkeys(("jax", "torch", "numpy"), right) | {side: wrong}))
        assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, side)
        assert found.share >= 1


def test_of_two_nobody_is_named() -> None:
    found = _rule(0, 20_000, jax=UNIFORM, torch=NORMAL)
    assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, None)


def test_of_three_that_all_differ_nobody_is_named() -> None:
    found = _rule(0, 5000, jax=UNIFORM, torch=_scaled(UNIFORM, 2), numpy=_scaled(UNIFORM, 4))
    assert (found.verdict, found.culprit) == (Verdict.DIFFERENT, None)


def test_the_reason_says_what_was_drawn() -> None:
    reason = _rule(0, 3000, jax=NORMAL, torch=_scaled(NORMAL, 1.7)).reason
    assert "in jax" in reason
    assert "in torch" in reason
    assert "p " in reason


def test_only_the_wrong_array_is_named() -> None:
    rng = np.random.default_rng(0)
    draws = {f: {name: UNIFORM(rng, 20_000) for name in ("a.scale", "b.scale", "b.bias")} for f in ("jax", "torch")}
    draws["torch"]["b.scale"] = NORMAL(rng, 20_000)
    rung = initialisation(draws)
    assert rung.layer == "b.scale"
    assert [f.verdict for f in rung.findings] == [Verdict.SAME, Verdict.DIFFERENT, Verdict.SAME]


def _orthogonal(rng: np.random.Generator, seeds: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(seeds, 23, 23)))[0]


def test_normal_columns_are_not_orthogonal_ones() -> None:
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(5, 23, 23)) / 23**0.5
    draws = {"jax": _orthogonal(rng, 5), "torch": normal, "numpy": _orthogonal(rng, 5)}
    rung = initialisation({f: {"hh.kernel": array} for f, array in draws.items()})
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "hh.kernel")
    entries, lengths = rung.findings
    assert (entries.verdict, lengths.culprit) == (Verdict.SAME, "torch")


def test_rounding_of_the_lengths_is_no_difference() -> None:
    rng = np.random.default_rng(0)
    draws = {"jax": _orthogonal(rng, 5).astype(np.float32), "torch": _orthogonal(rng, 5)}
    assert initialisation({f: {"hh.kernel": array} for f, array in draws.items()}).verdict is Verdict.SAME


@pytest.mark.parametrize("shape", [(7, 3, 3, 5, 11), (7, 5, 11), (2, 1, 1)])
def test_correct_kernels_raise_no_alarm(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    rungs = [initialisation({f: {"a.kernel": rng.normal(size=shape)} for f in ("jax", "torch")}) for _ in range(50)]
    assert {rung.verdict for rung in rungs} == {Verdict.SAME}


def test_order_and_number_of_draws_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    drawn = UNIFORM(rng, 2000)
    rung = initialisation({"jax": {"w": drawn}, "torch": {"w": drawn[::-1]}, "numpy": {"w": UNIFORM(rng, 600)}})
    assert rung.verdict is Verdict.SAME


def test_no_arrays_are_no_pass() -> None:
    assert initialisation({"jax": {}, "torch": {}}).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("n", [1, 2, 4])
def test_tiny_arrays_raise_no_alarm(n: int) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        rungs = [initialisation({f: {"bias": rng.uniform(-1, 1, n)} for f in ("jax", "torch")}) for _ in range(200)]
    assert {rung.verdict for rung in rungs} == {Verdict.SAME}


def test_constants_that_their_mean_rounds_are_constants() -> None:
    with np.errstate(all="ignore"):
        rung = initialisation({"jax": {"bias": np.full(9, 0.1)}, "torch": {"bias": np.full(7, 0.1)}})
    assert rung.verdict is Verdict.SAME


def test_nan_among_the_weights_is_no_pass() -> None:
    drawn = np.random.default_rng(0).normal(size=100)
    spoiled = np.where(np.arange(100) == 3, np.nan, drawn)
    rung = initialisation({"jax": {"w": spoiled}, "torch": {"w": drawn}, "numpy": {"w": drawn}})
    assert not rung.verdict.passes


def _one(jax: NDArray, torch: NDArray) -> Finding:
    return initialisation({"jax": {"w": jax}, "torch": {"w": torch}}).findings[0]


def _require_said(a: NDArray, b: NDArray, test: str, p: float) -> None:
    """`test` has the smallest p of all, that p, and it is too small."""
    found = _one(a, b)
    spread = f"{a.mean():.3g} ± {a.std():.3g} in jax against {b.mean():.3g} ± {b.std():.3g} in torch"
    expected = Finding(
        "initial weights", "w", Verdict.DIFFERENT, share=found.share, reason=f"{test}: p {p:.1e}; {spread}"
    )
    assert found == expected
    assert found.share == pytest.approx(_share(p))


def _share(p: float) -> float:
    return float(np.log(p) / np.log(LEVEL))


def test_what_no_mean_and_no_variance_tells_kolmogorov_and_smirnov_do() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, 20_000), rng.normal(0, 3**-0.5, 20_000)
    _require_said(a, b, "Kolmogorov–Smirnov", stats.ks_2samp(a, b, method="asymp").pvalue)


def test_few_numbers_are_judged_by_the_exact_test_alone() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=FEW), rng.normal(size=FEW) + 3
    _require_said(a, b, "Kolmogorov–Smirnov", stats.ks_2samp(a, b, method="exact").pvalue)
    near = rng.normal(size=FEW) + 1
    p = stats.ks_2samp(a, near, method="exact").pvalue
    expected = Finding("initial weights", "w", Verdict.SAME, share=_share(p), reason=f"smallest p {p:.1e}")
    assert _one(a, near) == expected


def test_more_than_few_are_judged_by_the_asymptotic_test() -> None:
    a = np.random.default_rng(0).uniform(-1, 1, 3 * FEW)
    b = np.tile([a.mean() - a.std(), a.mean() + a.std()], len(a) // 2)  # alike in mean and variance
    exact, asymptotic = (f"smallest p {stats.ks_2samp(a, b, method=way).pvalue:.1e}" for way in ("exact", "asymp"))
    assert _one(a, b).reason == asymptotic != exact


def test_of_many_weights_every_second_or_third_is_looked_at() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=2 * SAMPLE), rng.normal(size=3 * SAMPLE)
    assert _one(a, b) == _one(a[::2], b[::3])


def test_a_shift_is_told_by_the_mean() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=3000), rng.normal(size=2000) + 0.25
    z = abs(a.mean() - b.mean()) / (a.var() / a.size + b.var() / b.size) ** 0.5
    _require_said(a, b, "mean", 2 * stats.norm.sf(z))


def test_a_scale_is_told_by_the_variance_whatever_the_mean() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 3, 3000), rng.uniform(0.85, 3.15, 2000)
    of_variance = sum((stats.moment(x, 4) - x.var() ** 2) / x.size for x in (a, b))
    z = abs(a.var() - b.var()) / of_variance**0.5
    _require_said(a, b, "variance", 2 * stats.norm.sf(z))


def test_signs_have_a_variance_without_spread() -> None:
    signs = np.tile([-1.0, 1.0], 32)
    assert _one(signs, signs[::-1]).reason == "smallest p 1.0e+00"
    assert _one(signs, 2 * signs).reason == "variance: p 0.0e+00; 0 ± 1 in jax against 0 ± 2 in torch"


@pytest.mark.parametrize("n", [2, 4])
def test_a_constant_against_anything_else_is_different(n: int) -> None:
    constant, drawn = np.full(n, 0.5), np.linspace(0.1, 1, n)
    for a, b in ((constant, drawn), (drawn, constant), (constant, constant + 1)):
        found = _one(a, b)
        assert found.verdict is Verdict.DIFFERENT
        assert found.reason.startswith("constant: p 0.0e+00; ")


def test_lengths_are_of_every_output_and_seed_to_four_places() -> None:
    kernel = np.broadcast_to(np.array([[3.0], [4.0]]), (3, 2, 5))  # three seeds, five outputs of length 5
    rung = initialisation({"jax": {"a.kernel": kernel}, "torch": {"a.kernel": 2 * kernel}})
    assert (rung.number, rung.name) == (7, "initialisation")
    assert [(f.quantity, f.name) for f in rung.findings] == [
        ("initial weights", "a.kernel"),
        ("length of an output's weights", "a.kernel"),
    ]
    assert rung.findings[1].reason == "constant: p 0.0e+00; 5 ± 0 in jax against 10 ± 0 in torch"
    near = initialisation({"jax": {"a.kernel": kernel}, "torch": {"a.kernel": kernel * (1 + 6e-6)}})
    assert near.findings[1].verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("spoiled", "verdict", "reason"),
    [
        (("jax",), Verdict.DIFFERENT, "numbers that are not finite in jax"),
        (("jax", "numpy"), Verdict.DIFFERENT, "numbers that are not finite in jax, numpy"),
        (("jax", "torch", "numpy"), Verdict.INCONCLUSIVE, "numbers that are not finite in jax, torch, numpy"),
    ],
)
def test_numbers_that_are_not_finite_are_said(spoiled: tuple[str, ...], verdict: Verdict, reason: str) -> None:
    drawn = np.random.default_rng(0).normal(size=100)
    draws = {f: {"w": np.append(drawn, np.inf if f in spoiled else 0.0)} for f in ("jax", "torch", "numpy")}
    assert initialisation(draws).findings == (Finding("initial weights", "w", verdict, share=np.inf, reason=reason),)


@pytest.mark.parametrize("draws", [{"jax": np.ones(3)}, {"jax": np.ones(0), "torch": np.ones(3)}], ids=["one", "none"])
def test_nothing_to_compare_is_said(draws: dict[str, NDArray]) -> None:
    nothing = Finding("initial weights", "w", Verdict.INCONCLUSIVE, share=np.inf, reason="nothing was compared")
    assert initialisation({f: {"w": array} for f, array in draws.items()}).findings == (nothing,)
