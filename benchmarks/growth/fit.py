"""The growth of a time with a size: its exponent, the size from which it holds, and where one time crosses another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.stats import t as student

FLAT = 2.0
"""Least ratio of the largest to the smallest time that tells an exponent."""
PARAMETERS = 3  # of the model


@dataclass(frozen=True)
class Fit:
    """t = floor + top · (n / last)^exponent.

    Args:
        exponent: exponent of the power law that holds beyond the knee.
        low, high: its 95 % interval, from the scatter about the model; None where it cannot be told.
        floor: seconds that remain at the smallest sizes.
        top: seconds that the power law adds at the largest size.
        last: the largest size.
    """

    exponent: float
    low: float | None
    high: float | None
    floor: float
    top: float
    last: float

    def seconds(self, sizes: Sequence[float] | NDArray) -> NDArray:
        """The model's seconds at some sizes, an array of their shape."""
        return self.floor + self.top * (np.asarray(sizes, float) / self.last) ** self.exponent

    @property
    def knee(self) -> float:
        """The size at which floor and power law take equally long; below it, a larger size costs next to nothing."""
        return float(self.last * (self.floor / self.top) ** (1 / self.exponent))


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> Fit | None:
    """Fit the model by least squares between logarithms, so that each size counts alike.

    Args:
        sizes, seconds: size and time of each point.

    Returns:
        The fit; None with fewer than four points, or where the times grow by less than `FLAT`.
    """
    if len(sizes) <= PARAMETERS or max(seconds) < FLAT * min(seconds):
        return None
    last = max(sizes)
    x, y = np.log(np.asarray(sizes, float) / last), np.log(seconds)
    lowest, highest = y.min(), y.max()
    bounds = ([lowest - 10, lowest - 10, 0.05], [highest + 1, highest + 1, 5.0])
    parameters, covariance = curve_fit(_model, x, y, p0=[lowest, highest, 1.0], bounds=bounds, max_nfev=10_000)
    free = len(sizes) - PARAMETERS
    around = float(student.ppf(0.975, free) * np.sqrt(covariance[2, 2]))
    low, high = (parameters[2] - around, parameters[2] + around) if np.isfinite(around) else (None, None)
    return Fit(float(parameters[2]), low, high, float(np.exp(parameters[0])), float(np.exp(parameters[1])), last)


def _model(x: NDArray, floor: float, top: float, exponent: float) -> NDArray:
    return np.logaddexp(floor, top + exponent * x)


@dataclass(frozen=True)
class Crossing:
    """A size at which two times are equal: below it the one named `below` is faster, above it the other."""

    at: float
    below: str
    above: str


def crossings(
    sizes: Sequence[float], first: Sequence[float], second: Sequence[float], names: Sequence[str]
) -> list[Crossing]:
    """The sizes at which the ratio of two times passes 1, interpolated between logarithms of neighbouring points.

    Args:
        sizes: the sizes, in ascending order.
        first, second: seconds of the two at each size.
        names: names of the two.
    """
    x, y = np.log(sizes), np.log(np.asarray(first) / np.asarray(second))
    points = []
    for i in range(len(x) - 1):
        if (y[i] > 0) != (y[i + 1] > 0):
            at = float(np.exp(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1])))
            points.append(Crossing(at, *(names[::-1] if y[i] > 0 else names)))
    return points
