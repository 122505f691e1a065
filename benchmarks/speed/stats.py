"""Medians, spread and intervals."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from scipy.stats import bootstrap, median_abs_deviation

Interval = tuple[float, float]
LEAST = 3
"""Least number of values for which an interval is given."""


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
        ValueError: there are not as many denominators as numerators, or none at all.
    """
    pairs = [a / b for a, b in zip(numerators, denominators, strict=True)]
    if not pairs:
        raise ValueError("got no rounds; expected at least one")
    low, high = interval(pairs) or (None, None)
    return {"median": median(pairs), "low": low, "high": high, "n": len(pairs)}


def unpaired(numerators: Sequence[float], denominators: Sequence[float]) -> dict[str, Any]:
    """Ratio of the medians of two independent samples, with its bootstrap 95 % interval.

    Returns:
        "median" (the ratio), "low", "high" (None with fewer than three values on either side).

    Raises:
        ValueError: a side has no values.
    """
    if not numerators or not denominators:
        raise ValueError("got no values on one side; expected at least one")
    quotient = median(numerators) / median(denominators)
    if min(len(numerators), len(denominators)) < LEAST:
        return {"median": quotient, "low": None, "high": None}
    low, high = _bootstrap(_ratio_of_medians, numerators, denominators)
    return {"median": quotient, "low": low, "high": high}


def _ratio_of_medians(numerators: Any, denominators: Any, axis: int) -> Any:
    return np.median(numerators, axis=axis) / np.median(denominators, axis=axis)


def interval(values: Sequence[float]) -> Interval | None:
    """Bootstrap 95 % interval of the median (percentile method); None with fewer than three values."""
    return None if len(values) < LEAST else _bootstrap(np.median, values)


def _bootstrap(statistic: Any, *samples: Sequence[float]) -> Interval:
    if all(len(set(values)) == 1 for values in samples):  # nothing varies, which scipy would warn of
        value = float(statistic(*map(np.asarray, samples), axis=0))
        return value, value
    arrays = tuple(map(np.asarray, samples))
    bounds = bootstrap(arrays, statistic, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    return float(bounds.low), float(bounds.high)
