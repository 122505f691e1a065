"""Rung 7: each twin's own constructor draws from the documented distribution."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from parity.checks.referee import RATIO
from parity.checks.verdict import Finding, Rung, Verdict, rung

LEVEL = RATIO
"""Probability at which a correct twin raises a false alarm, for one test of one array. It is the referee's 2⁻²⁹."""
SAMPLE = 20_000
"""Of arrays twice as large or larger, every second, third, … weight is looked at, so that at least so many are left."""
FEW = 32
"""Up to so many numbers, mean and variance are not near enough to normal for their test; the exact KS test is left."""


def initialisation(draws: Mapping[str, Mapping[str, NDArray]]) -> Rung:
    """Compare initial weights and the lengths of kernels' columns, pair by pair: Kolmogorov–Smirnov, mean, variance.

    Entries alone hardly tell an orthogonal matrix from a normal one of the same variance; the lengths of columns do.

    Args:
        draws: framework → canonical name → draws (seeds, …). "numpy" draws from the documented distribution itself.
    """
    names = list(draws.values())[-1]
    arrays = {name: {f: by[name] for f, by in draws.items()} for name in names}
    findings = [_rule("initial weights", name, by) for name, by in arrays.items()]
    kernels = {name: by for name, by in arrays.items() if name.endswith(".kernel")}
    lengths = {name: {f: _lengths(array) for f, array in by.items()} for name, by in kernels.items()}
    return rung(
        7, "initialisation", findings + [_rule("length of an output's weights", *item) for item in lengths.items()]
    )


def _lengths(kernels: NDArray) -> NDArray:
    """Length of every output's weights, kernels (seeds, …, out) → (seeds, out), to four places: beyond is rounding."""
    axes = tuple(range(1, kernels.ndim - 1))
    return np.round(np.sqrt((kernels.astype(np.float64) ** 2).sum(axes)), 4)


def _rule(quantity: str, name: str, draws: Mapping[str, NDArray]) -> Finding:
    samples = {framework: _sample(array) for framework, array in draws.items()}
    if (odd := _incomparable(samples)) is not None:
        return Finding(quantity, name, odd[0], share=np.inf, reason=odd[1])
    least = {pair: _least(samples[pair[0]], samples[pair[1]]) for pair in combinations(samples, 2)}
    (first, second), (test, p) = min(least.items(), key=lambda item: item[1][1])
    if p >= LEVEL:
        return Finding(quantity, name, Verdict.SAME, share=_share(p), reason=f"smallest p {p:.1e}")
    spread = " against ".join(f"{samples[f].mean():.3g} ± {samples[f].std():.3g} in {f}" for f in (first, second))
    off = {pair for pair, (_, p) in least.items() if p < LEVEL}
    culprits = set.intersection(*map(set, off))
    culprit = culprits.pop() if len(culprits) == 1 else None  # of two, both are
    reason = f"{test}: p {p:.1e}; {spread}"
    return Finding(quantity, name, Verdict.DIFFERENT, share=_share(p), culprit=culprit, reason=reason)


def _incomparable(samples: Mapping[str, NDArray]) -> tuple[Verdict, str] | None:
    if len(samples) < 2 or not all(sample.size for sample in samples.values()):
        return Verdict.INCONCLUSIVE, "nothing was compared"
    bad = [framework for framework, sample in samples.items() if not np.isfinite(sample).all()]
    if not bad:
        return None
    verdict = Verdict.INCONCLUSIVE if len(bad) == len(samples) else Verdict.DIFFERENT
    return verdict, f"numbers that are not finite in {', '.join(bad)}"


def _share(p: float) -> float:
    """How far a probability goes towards `LEVEL`, where it is 1."""
    tiny = float(np.finfo(np.float64).tiny)
    return float(np.log(max(p, tiny)) / np.log(LEVEL))


def _sample(array: NDArray) -> NDArray:
    flat = array.ravel()
    return flat[:: max(1, flat.size // SAMPLE)].astype(np.float64)


def _least(a: NDArray, b: NDArray) -> tuple[str, float]:
    """The test with the smallest p-value, and that value."""
    if _constant(a) or _constant(b):
        return "constant", float(_constant(a) and _constant(b) and a[0] == b[0])
    tests = {
        "Kolmogorov–Smirnov": stats.ks_2samp(a, b, method="asymp" if min(a.size, b.size) > FEW else "exact").pvalue
    }
    if min(a.size, b.size) > FEW:
        tests["mean"] = _z(a.mean() - b.mean(), a.var() / a.size + b.var() / b.size)
        tests["variance"] = _z(a.var() - b.var(), _variance_of_variance(a) + _variance_of_variance(b))
    name = min(tests, key=lambda test: tests[test])
    return name, float(tests[name])


def _constant(a: NDArray) -> bool:
    """Whether all numbers are one; a single number is no sign of that."""
    return a.size > 1 and bool(a.min() == a.max())


def _variance_of_variance(a: NDArray) -> float:
    centred = a - a.mean()
    return max(float((centred**4).mean() - a.var() ** 2), 0.0) / a.size


def _z(difference: float, variance: float) -> float:
    return float(2 * stats.norm.sf(abs(difference) / np.sqrt(variance))) if variance > 0 else float(difference == 0)
