"""Tables of a network: arrays that it computes with and that depend neither on its inputs nor on what it learns.

Rotary frequencies, sines of positions, windows and masks are such. A framework keeps them in float32, or computes them
in it, and another one rounds them otherwise: that is no difference of the networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF = float(np.finfo(np.float32).eps) / 2
"""By how much storing a number in float32 may change it, relative."""
NEAR = 2.0**-44
"""As near are the numbers of one table when a framework computes it twice in float64."""


@dataclass(frozen=True)
class Table:
    """A table of a network.

    Args:
        array: Its numbers, float64 or complex128.
        moved: The same if what the network holds of it were moved by half a unit of float32's last place: what storing
            in float32 explains.
        place: The user's line that uses it, or its name; "" if it is not known.
    """

    array: NDArray[Any]
    moved: NDArray[Any]
    place: str = ""


@dataclass(frozen=True)
class EqualTables:
    """A table of one side and the numbers that it gets in their place, which are the other side's."""

    before: NDArray[Any]
    after: NDArray[Any]


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
        if is_table(array) and array.shape == pair.before.shape and _same(np.asarray(array), pair.before):
            return pair.after
    return array


def _same(array: NDArray, other: NDArray) -> bool:
    return bool(np.allclose(array, other, rtol=NEAR, atol=0, equal_nan=True))
