"""Hypotheses on arithmetic with whole numbers that wrap around at the end of what their dtype holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Change, Edit, Operation
from parity.pair.causes.search.families.candidates import NUMBERS
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece

EXACT: Mapping[str, Callable[[NDArray, NDArray], NDArray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply,
}  # fmt: skip
"""Operations on two arrays, one of which may be a number that is written: JAX wants both of one dtype."""
FIRST = "number 1"
"""The setting of a written number that comes before the array."""
WIDE = 8
"""Bytes of a whole number that wraps around nowhere in practice."""


def wrapping(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side computes with whole numbers of a narrow dtype where the other does with wider ones."""
    half = piece.half(side)
    for number, each in half.operations:
        narrow = [v for v in each.operands if _is_narrow(half, v)]
        if not narrow or not any(_is_narrow(half, v) for v in each.results):
            continue
        dtype = half.values[narrow[0]].dtype
        ends = np.iinfo(dtype)
        text = (
            f"{NAMES[side]} computes {each.name} in {dtype}, which wraps around below {ends.min} and above {ends.max}, "
            f"and {NAMES[other(side)]} does not"
        )
        mend = f"cast to a wider dtype before {each.name} in {NAMES[side]}"
        edits = _exact(side, each) if each.name in EXACT else always(*(Change(value, _widened) for value in narrow))
        yield Hypothesis(side, text, mend, edits, number, each.results[0], exact=True)


def _exact(side: str, each: Operation) -> Callable[[Piece], Sequence[Edit]]:
    """The edit that lets an operation on two numbers give what it would without an end."""

    def edits(piece: Piece) -> Sequence[Edit]:
        written = [(name, value) for name, value in each.settings.items() if name.startswith(NUMBERS)]
        both = [_widened(piece.half(side).values[operand]) for operand in each.operands]
        for name, value in written:
            both.insert(0 if name == FIRST else len(both), np.asarray(value))
        if len(both) != 2:
            return []
        exact = EXACT[each.name](*both)
        return [Change(each.results[0], lambda _: exact)]

    return edits


def _is_narrow(half: Half, value: int) -> bool:
    dtype = half.values[value].dtype
    return dtype.kind in "iu" and dtype.itemsize < WIDE and half.values[value].size > 1


def _widened(array: NDArray) -> NDArray:
    return array.astype(np.int64)
