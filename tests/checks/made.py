"""Twins made by hand: a formula computed in float64 and, from the same numbers, in float32."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import HighLow
from parity.checks.verdict import Finding, Verdict

Formula = Callable[..., NDArray]


def numbers(seed: int, *shape: int) -> NDArray:
    """Normal float64 numbers that float32 holds exactly."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(np.float64)


def pair(formula: Formula, *arrays: NDArray) -> HighLow:
    """What a framework that computes this formula shows."""
    return HighLow(formula(*arrays), formula(*(array.astype(np.float32) for array in arrays)))


def stored(array: NDArray) -> HighLow:
    """A framework whose float32 array is the float64 one, rounded once."""
    with np.errstate(over="ignore"):
        return HighLow(array, array.astype(np.float32))


def rounded(array: NDArray, bits: int) -> NDArray:
    """Float32 numbers rounded to that many bits of mantissa: 10 in TF32, 7 in bfloat16."""
    drop = 23 - bits
    raw = np.ascontiguousarray(array, np.float32).view(np.uint32)
    half = np.uint32(1 << (drop - 1))
    return ((raw + half) & ~np.uint32((1 << drop) - 1)).view(np.float32)


def finding(name: str, verdict: Verdict = Verdict.SAME, *, share: float = 1.0, quantity: str = "output") -> Finding:
    return Finding(quantity, name, verdict, share)
