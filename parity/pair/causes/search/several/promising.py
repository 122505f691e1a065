"""Hypotheses without which more of a piece agrees, though its target does not yet: another cause may follow."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from parity.pair.causes.search.hypothesis import Hypothesis, other
from parity.pair.causes.search.piece import SIDES, Piece, same_numbers

Key = tuple[int, str]


class Promising:
    """Notes the hypotheses that make values of one side the other side's.

    Args:
        piece: the operations in which the difference begins.
    """

    def __init__(self, piece: Piece) -> None:
        self._missing = {side: _missing(piece, side) for side in SIDES}
        self._noted: list[tuple[int, int, Hypothesis]] = []

    def __call__(self, hypothesis: Hypothesis, made: Mapping[int, NDArray]) -> None:
        """Note a hypothesis, if the values that are other ones without it are some that its side lacked."""
        missing = self._missing[hypothesis.side]
        gained = {
            number
            for array in made.values()
            if _counts(array)
            for number, theirs in missing.get(_key(array), ())
            if same_numbers(array, theirs)
        }
        if gained:
            self._noted.append((-len(gained), hypothesis.likely, hypothesis))

    def best(self, most: int) -> list[Hypothesis]:
        """Those with which most is gained, but one for each operation and gain."""
        chosen: dict[tuple[str, int | None, int], Hypothesis] = {}
        for gain, _, hypothesis in sorted(self._noted, key=lambda noted: noted[:2]):
            chosen.setdefault((hypothesis.side, hypothesis.operation, gain), hypothesis)
        return list(chosen.values())[:most]


def _missing(piece: Piece, side: str) -> dict[Key, list[tuple[int, NDArray]]]:
    """The values that the other side makes and this one does not."""
    half, theirs = piece.half(side), piece.half(other(side))
    has: dict[Key, list[NDArray]] = {}
    for array in half.values.values():
        if _counts(array):
            has.setdefault(_key(array), []).append(array)
    missing: dict[Key, list[tuple[int, NDArray]]] = {}
    for number in theirs.made:
        array = theirs.values[number]
        if _counts(array) and not any(same_numbers(array, mine) for mine in has.get(_key(array), ())):
            missing.setdefault(_key(array), []).append((number, array))
    return missing


def _counts(array: NDArray) -> bool:
    return array.size > 1 and array.dtype.kind == "f"


def _key(array: NDArray) -> Key:
    """What is alike of arrays that hold the same numbers in any order, but for a rare bad luck in rounding."""
    flat = array.ravel()
    with np.errstate(all="ignore"):
        return array.size, f"{float(flat @ flat):.6e}"
