"""Rules on tables: whether two are one table, whose numbers float32 rounded in other places."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import EqualTables, Table

HALF = float(np.finfo(np.float32).eps) / 2
"""By how much storing a number in float32 may change it, relative."""
NEAR = 2.0**-44
"""As near, relative, are the numbers of one table that is computed twice in float64."""
ROUNDINGS = 4
"""So many roundings of float32 may the numbers of one table differ by."""
ONE_SIGN = 32
"""So many where all have one sign, as frequencies do, and each number's own size is the measure."""
EXPLAINED = ONE_SIGN
"""So many times may two results differ by what half a unit of float32's last place in a table changes them by."""


def is_table(array: Any) -> bool:
    """Whether an array is floating or complex and of more than one number."""
    return getattr(array, "size", 0) > 1 and getattr(getattr(array, "dtype", None), "kind", "") in ("f", "c")


def nudged(array: Any) -> Any:
    """A table of NumPy's with its numbers moved by half a unit of float32's last place, up or down; anything else as it
    is."""
    if not is_table(array) or array.dtype.itemsize < np.dtype(np.float32).itemsize:
        return array
    numbers = np.asarray(array)
    wide = numbers.astype(np.result_type(numbers.dtype, np.float64))
    return wide * (1 + HALF * np.random.default_rng(numbers.size).choice([-1.0, 1.0], numbers.shape))


def replaced(array: Any, equal: Sequence[EqualTables]) -> Any:
    """The numbers that a table gets, or the array itself where none are given for it."""
    for pair in equal:
        if is_table(array) and _is_one(np.asarray(array), pair.before):
            return pair.after
    return array


def merged(known: Sequence[EqualTables], new: Sequence[EqualTables]) -> list[EqualTables]:
    """Both lists with one entry a table: of a table of which inputs of several lengths use several parts, each gets the
    numbers that were found for it.

    Args:
        known: Tables that get other numbers already.
        new: Tables that shall get other numbers too.
    """
    tables = list(known)
    for pair in new:
        place = next((place for place, other in enumerate(tables) if _is_one(pair.before, other.before)), None)
        if place is None:
            tables.append(pair)
        else:
            after = np.where(pair.after == pair.before, tables[place].after, pair.after)
            tables[place] = EqualTables(pair.before, after)
    return tables


def _is_one(array: NDArray, other: NDArray) -> bool:
    return array.shape == other.shape and _same(array, other)


def _same(array: NDArray, other: NDArray) -> bool:
    return bool(np.allclose(array, other, rtol=NEAR, atol=0, equal_nan=True))


def of_other_numbers(gap: float) -> bool:
    """Whether a relative gap is more than what float64's rounding gives."""
    return gap > NEAR


def are_one_table(ours: NDArray, theirs: NDArray, explained: float) -> bool:
    """Whether two tables of one shape differ by no more than float32's rounding explains.

    Where all numbers have one sign, each has to agree relative to itself. Sines and cosines are of positions times
    frequencies, so that the rounding of these grows with the position, along any one axis.

    Args:
        ours, theirs: The tables in float64 or complex128.
        explained: The largest move of a number that the rounding of what they are made of explains.
    """
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return False
    ours, theirs = finite(ours), finite(theirs)
    gap, size, allowed = np.abs(theirs - ours), np.abs(ours), ROUNDINGS * explained
    if ours.dtype.kind == "f" and ((ours >= 0).all() or (ours <= 0).all()):
        return bool((gap <= allowed + ONE_SIGN * HALF * size).all())
    unit = ROUNDINGS * HALF * float(size.max(initial=0.0))
    weights = [np.ones(()), *(_positions(ours.shape, axis) for axis in range(ours.ndim))]
    return any(bool((gap <= allowed + unit * weight).all()) for weight in weights)


def spread(table: Table) -> float:
    """The largest move of a number of a table that the rounding of what it is made of explains."""
    return float(np.abs(finite(table.moved) - finite(table.array)).max(initial=0.0))


def finite(array: NDArray) -> NDArray:
    """The array with zeros for what is not finite."""
    return np.where(np.isfinite(array), array, 0.0)


def _positions(shape: tuple[int, ...], axis: int) -> NDArray:
    """One more than the index along an axis, to be broadcast."""
    return 1.0 + np.arange(shape[axis]).reshape([-1 if place == axis else 1 for place in range(len(shape))])
