"""Rung 9: over seeds, the final accuracies of the frameworks are equivalent.

The frameworks train from equal weights on equal batches, so a seed is a pair and what is tested is the mean of the
differences. They are equivalent if its confidence interval lies within the noise that another seed makes: then which
framework it was matters less than which seed it was. Source of the test: two one-sided tests, D. J. Schuirmann, "A
comparison of the two one-sided tests procedure and the power approach", 1987.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from parity.checks.verdict import Finding, Rung, Verdict, rung

NUMBER, NAME = 9, "outcome"
LEVEL = 0.05
"""Of the confidence interval (95 %), and of each one-sided test the half: the field's habit."""
POWER = 0.8
"""With this probability the test would have seen a difference of the size that is reported: the field's habit."""
FEWEST = 3
"""Fewer pairs have no spread that could be told from luck."""


def outcome(name: str, accuracies: Mapping[str, NDArray], samples: int) -> Rung:
    """Compare final accuracies pair by pair.

    Args:
        name: name of what was trained.
        accuracies: framework → final accuracy of each seed, (seeds,), the seeds in one order.
        samples: examples that each accuracy was measured on.
    """
    pairs = combinations(accuracies.items(), 2)
    findings = [_rule(name, a, b, np.asarray(x), np.asarray(y), samples) for (a, x), (b, y) in pairs]
    if not findings:
        findings = [Finding("accuracy", name, Verdict.INCONCLUSIVE, reason="nothing was compared")]
    return rung(NUMBER, NAME, findings)


def _rule(name: str, first: str, second: str, a: NDArray, b: NDArray, samples: int) -> Finding:
    label = f"{name}: {first} − {second}"
    if a.shape != b.shape or a.size < FEWEST:
        reason = f"{a.size} and {b.size} seeds; a difference needs at least {FEWEST} pairs"
        return Finding("accuracy", label, Verdict.INCONCLUSIVE, share=np.inf, reason=reason)
    low, high = interval(a - b)
    noise = seed_noise(a, b, samples)
    share = max(abs(low), abs(high)) / noise
    apart = low > 0 or high < 0
    verdict = Verdict.SAME if share <= 1 else Verdict.DIFFERENT if apart else Verdict.INCONCLUSIVE
    reason = (
        f"difference {(a - b).mean():+.2%}, 95 % interval {low:+.2%} to {high:+.2%}, seed noise {noise:.2%}; "
        f"{a.size} seeds would have shown {max(detectable(a - b), 1 / samples):.2%}"
    )
    values = {first: float(a.mean()), second: float(b.mean())}
    return Finding("accuracy", label, verdict, share=share, values=values, reason=reason)


def interval(differences: NDArray) -> tuple[float, float]:
    """Confidence interval of the mean of paired differences, by Student's t."""
    mean, error = float(differences.mean()), _standard_error(differences)
    reach = float(stats.t.ppf(1 - LEVEL / 2, differences.size - 1)) * error
    return mean - reach, mean + reach


def detectable(differences: NDArray) -> float:
    """The smallest true difference that the test would have seen with probability `POWER`."""
    t = stats.t(differences.size - 1)
    return float(t.ppf(1 - LEVEL / 2) + t.ppf(POWER)) * _standard_error(differences)


def seed_noise(a: NDArray, b: NDArray, samples: int) -> float:
    """Standard deviation of the accuracy over seeds, of both frameworks together; at least that of measuring an
    accuracy on so many examples, and one example."""
    spread = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    mean = float(np.concatenate([a, b]).mean())
    return max(spread, float(np.sqrt(mean * (1 - mean) / samples)), 1 / samples)


def _standard_error(differences: NDArray) -> float:
    return float(differences.std(ddof=1) / np.sqrt(differences.size))
