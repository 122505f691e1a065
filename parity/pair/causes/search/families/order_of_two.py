"""Hypotheses on two operations that follow each other in another order: a shift before a scale, an epsilon after a
root."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Change, Edit, Operation, Taken
from parity.pair.causes.search.families.functions import MOVES, VERBS, named
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece
from parity.pair.causes.search.written import NUMBERS, text_of

Pair = tuple[int, int, int, int]
"""The number of an operation and the place of what it takes; the number of the next, and the place of what the first
gives."""


def swapped_order(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Two operations follow each other in another order than on the other side."""
    half, theirs = piece.half(side), Lookup(piece.half(other(side)).values)
    for pair in _pairs(half):
        array = _swapped(half, pair)
        if array is None or not (theirs.has(array) or theirs.has(_inverse(array))):
            continue
        first, second = (half.program.operations[pair[i]] for i in (0, 2))
        before, after = _does(half, first, pair[1]), _does(half, second, pair[3])
        text = f"{NAMES[side]} {before} before it {after}, and {NAMES[other(side)]} after it"
        yield Hypothesis(
            side, text, f"change the order of {first.name} and {second.name} in {NAMES[side]}", _edits(side, pair),
            pair[2], second.results[0],
        )  # fmt: skip


def _inverse(array: NDArray) -> NDArray:
    """One over an array: what one side divides by, the other may multiply with."""
    with np.errstate(all="ignore"):
        return 1.0 / array if array.dtype.kind == "f" else array


def _pairs(half: Half) -> Iterator[Pair]:
    for number, each in half.operations:
        if each.name in MOVES or len(each.results) != 1:
            continue
        for place, value in enumerate(each.operands):
            maker = half.program.maker.get(value)
            before = half.program.operations[maker] if maker in half.numbers and maker is not None else None
            if before is None or maker is None or before.name in MOVES or len(before.results) != 1:
                continue
            for taken, x in enumerate(before.operands):
                if half.values[x].dtype.kind == "f" and half.values[x].shape == half.values[value].shape:
                    yield maker, taken, number, place


def _swapped(half: Half, pair: Pair) -> NDArray | None:
    """What both operations give in the other order; None where they do not fit."""
    first, taken, second, place = pair
    operations = half.program.operations
    x = operations[first].operands[taken]
    inner = half.value(operations[second].results[0], [Taken(second, place, x)])
    if inner is None or inner.shape != half.values[x].shape:
        return None
    rest = [v for i, v in enumerate(operations[first].operands) if i != taken]
    if x in rest:
        return None
    return half.value(operations[first].results[0], [Change(x, lambda _: inner)])


def _edits(side: str, pair: Pair) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        half = piece.half(side)
        array = _swapped(half, pair)
        return (
            [] if array is None else [Change(half.program.operations[pair[2]].results[0], lambda _: array, ("swap",))]
        )

    return edits


def _does(half: Half, each: Operation, place: int) -> str:
    """An operation as a verb with what else it takes."""
    rest = [named(half, value) for i, value in enumerate(each.operands) if i != place]
    rest += [text_of(value) for name, value in each.settings.items() if name.startswith(NUMBERS)]
    if each.name in VERBS and rest:
        return f"{VERBS[each.name]} {' and '.join(rest)}"
    return f"applies {each.name}{' with ' + ' and '.join(rest) if rest else ''}"
