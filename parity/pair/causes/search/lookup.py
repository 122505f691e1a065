"""Finds arrays that hold the same numbers, in any order, among many."""

from collections.abc import Iterable, Iterator, Mapping
from math import floor, log

import numpy as np
from numpy.typing import NDArray

from parity.pair.causes.search.piece import same_numbers

FINENESS = 1e5
"""One over the relative width of the classes of length into which arrays are sorted: far wider than what counts as
rounding."""
Key = tuple[int, int, int]


class Lookup:
    """Floating arrays of more than one number by their numbers, whatever the order of these.

    Args:
        arrays: name → array.
    """

    def __init__(self, arrays: Mapping[int, NDArray]) -> None:
        self._classes: dict[Key, list[tuple[int, NDArray]]] = {}
        for name, array in arrays.items():
            if counts(array):
                self._classes.setdefault(_key(array), []).append((name, array))

    def find(self, array: NDArray) -> Iterator[int]:
        """The names of the arrays that hold these numbers."""
        size, odd, length = _key(array)
        for near in (length, length - 1, length + 1):
            for name, other in self._classes.get((size, odd, near), ()):
                if same_numbers(array, other):
                    yield name

    def has(self, array: NDArray) -> bool:
        """Whether one of the arrays holds these numbers."""
        return counts(array) and any(True for _ in self.find(array))

    def lacks(self, arrays: Iterable[tuple[int, NDArray]]) -> dict[int, NDArray]:
        """Those of other arrays that are not among these."""
        return {name: array for name, array in arrays if counts(array) and not self.has(array)}


def counts(array: NDArray) -> bool:
    """Whether an array is one that can be told by its numbers: single numbers are alike by chance."""
    return array.size > 1 and array.dtype.kind == "f"


def _key(array: NDArray) -> Key:
    """What is alike of arrays that hold the same numbers, but for a step to the next class of length."""
    flat = array.ravel()
    there = flat[np.isfinite(flat)]
    with np.errstate(all="ignore"):
        length = float(np.linalg.norm(there))
    return array.size, array.size - there.size, floor(log(length) * FINENESS) if 0 < length < np.inf else 0
