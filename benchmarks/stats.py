"""Medians, spread and intervals."""

from collections.abc import Sequence
from statistics import median

import numpy as np
from scipy.stats import bootstrap, median_abs_deviation

Interval = tuple[float, float]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, median absolute deviation, extremes and number of some values."""
    return {
        "median": median(values),
        "mad": float(median_abs_deviation(values)),
        "min": min(values),
        "max": max(values),
        "n": len(values),
    }


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> dict[str, float | None]:
    """Median of paired ratios, with its bootstrap 95 % interval.

    Args:
        numerators, denominators: medians of one round each, in the same order.

    Returns:
        "median", "low", "high" (None with fewer than three pairs), "n".

    Raises:
        ValueError: not one denominator a numerator, or none at all.
    """
    pairs = [a / b for a, b in zip(numerators, denominators, strict=True)]
    if not pairs:
        raise ValueError("got no rounds; expected at least one")
    low, high = interval(pairs) or (None, None)
    return {"median": median(pairs), "low": low, "high": high, "n": len(pairs)}


def interval(values: Sequence[float]) -> Interval | None:
    """Bootstrap 95 % interval of the median (percentile method); None with fewer than three values."""
    if len(values) < 3:
        return None
    if len(set(values)) == 1:
        return values[0], values[0]
    found = bootstrap((np.asarray(values),), np.median, method="percentile", rng=np.random.default_rng(0))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
