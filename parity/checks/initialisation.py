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


def initialisation(draws: Mapping[str, Mapping[str, NDArray]]) -> Rung:
    """Compare initial weights pair by pair: Kolmogorov–Smirnov, mean and variance.

    Args:
        draws: framework → canonical name → draws (seeds, …). "numpy" draws from the documented distribution itself.
    """
    names = list(draws.values())[-1]
    return rung(7, "initialisation", [_rule(name, {f: by[name] for f, by in draws.items()}) for name in names])


def _rule(name: str, draws: Mapping[str, NDArray]) -> Finding:
    samples = {framework: _sample(array) for framework, array in draws.items()}
    least = {pair: _least(samples[pair[0]], samples[pair[1]]) for pair in combinations(samples, 2)}
    (first, second), (test, p) = min(least.items(), key=lambda item: item[1][1])
    if p >= LEVEL:
        return Finding("initial weights", name, Verdict.SAME, share=_share(p), reason=f"smallest p {p:.1e}")
    spread = " against ".join(f"{samples[f].mean():.3g} ± {samples[f].std():.3g} in {f}" for f in (first, second))
    off = {pair for pair, (_, p) in least.items() if p < LEVEL}
    culprits = set.intersection(*map(set, off))
    culprit = culprits.pop() if len(samples) > 2 and len(culprits) == 1 else None
    reason = f"{test}: p {p:.1e}; {spread}"
    return Finding("initial weights", name, Verdict.DIFFERENT, share=_share(p), culprit=culprit, reason=reason)


def _share(p: float) -> float:
    """How far a probability goes towards `LEVEL`, on the scale of the referee's threshold."""
    tiny = float(np.finfo(np.float64).tiny)
    return float(np.log(max(p, tiny)) / np.log(LEVEL))


def _sample(array: NDArray) -> NDArray:
    flat = array.ravel()
    return flat[:: max(1, flat.size // SAMPLE)].astype(np.float64)


def _least(a: NDArray, b: NDArray) -> tuple[str, float]:
    """The test with the smallest p-value, and that value."""
    if a.std() == b.std() == 0:
        return "constant", float(a[0] == b[0])
    tests = {
        "Kolmogorov–Smirnov": stats.ks_2samp(a, b, method="asymp").pvalue,
        "mean": _z(a.mean() - b.mean(), a.var() / a.size + b.var() / b.size),
        "variance": _z(a.var() - b.var(), _variance_of_variance(a) + _variance_of_variance(b)),
    }
    name = min(tests, key=lambda test: tests[test])
    return name, float(tests[name])


def _variance_of_variance(a: NDArray) -> float:
    centred = a - a.mean()
    return float((centred**4).mean() - a.var() ** 2) / a.size


def _z(difference: float, variance: float) -> float:
    return float(2 * stats.norm.sf(abs(difference) / np.sqrt(variance)))
