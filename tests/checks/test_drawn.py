"""What rung 7 says of the weights that were drawn: which test tells them apart, its p-value, and the figures."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from parity.checks.initialisation import FEW, LEVEL, SAMPLE, initialisation
from parity.checks.verdict import Finding, Verdict


def _one(flax: NDArray, torch: NDArray) -> Finding:
    return initialisation({"flax": {"w": flax}, "torch": {"w": torch}}).findings[0]


def _require_said(a: NDArray, b: NDArray, test: str, p: float) -> None:
    """`test` has the smallest p of all, that p, and it is too small."""
    found = _one(a, b)
    spread = f"{a.mean():.3g} ± {a.std():.3g} in flax against {b.mean():.3g} ± {b.std():.3g} in torch"
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
    assert _one(signs, 2 * signs).reason == "variance: p 0.0e+00; 0 ± 1 in flax against 0 ± 2 in torch"


@pytest.mark.parametrize("n", [2, 4])
def test_a_constant_against_anything_else_is_different(n: int) -> None:
    constant, drawn = np.full(n, 0.5), np.linspace(0.1, 1, n)
    for a, b in ((constant, drawn), (drawn, constant), (constant, constant + 1)):
        found = _one(a, b)
        assert found.verdict is Verdict.DIFFERENT
        assert found.reason.startswith("constant: p 0.0e+00; ")


def test_lengths_are_of_every_output_and_seed_to_four_places() -> None:
    kernel = np.broadcast_to(np.array([[3.0], [4.0]]), (3, 2, 5))  # three seeds, five outputs of length 5
    rung = initialisation({"flax": {"a.kernel": kernel}, "torch": {"a.kernel": 2 * kernel}})
    assert (rung.number, rung.name) == (7, "initialisation")
    assert [(f.quantity, f.name) for f in rung.findings] == [
        ("initial weights", "a.kernel"),
        ("length of an output's weights", "a.kernel"),
    ]
    assert rung.findings[1].reason == "constant: p 0.0e+00; 5 ± 0 in flax against 10 ± 0 in torch"
    near = initialisation({"flax": {"a.kernel": kernel}, "torch": {"a.kernel": kernel * (1 + 6e-6)}})
    assert near.findings[1].verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("spoiled", "verdict", "reason"),
    [
        (("flax",), Verdict.DIFFERENT, "numbers that are not finite in flax"),
        (("flax", "numpy"), Verdict.DIFFERENT, "numbers that are not finite in flax, numpy"),
        (("flax", "torch", "numpy"), Verdict.INCONCLUSIVE, "numbers that are not finite in flax, torch, numpy"),
    ],
)
def test_numbers_that_are_not_finite_are_said(spoiled: tuple[str, ...], verdict: Verdict, reason: str) -> None:
    drawn = np.random.default_rng(0).normal(size=100)
    draws = {f: {"w": np.append(drawn, np.inf if f in spoiled else 0.0)} for f in ("flax", "torch", "numpy")}
    assert initialisation(draws).findings == (Finding("initial weights", "w", verdict, share=np.inf, reason=reason),)


@pytest.mark.parametrize(
    "draws", [{"flax": np.ones(3)}, {"flax": np.ones(0), "torch": np.ones(3)}], ids=["one", "none"]
)
def test_nothing_to_compare_is_said(draws: dict[str, NDArray]) -> None:
    nothing = Finding("initial weights", "w", Verdict.INCONCLUSIVE, share=np.inf, reason="nothing was compared")
    assert initialisation({f: {"w": array} for f, array in draws.items()}).findings == (nothing,)
