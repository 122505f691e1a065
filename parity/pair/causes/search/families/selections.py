"""Hypotheses on what is selected: a function along an axis that stands before a selection on one side and after it on
the other, such as a softmax and a top-k, and a part of an axis that one side alone takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Operation
from parity.pair.causes.known_functions import functions_along
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece, same

STEPS = 6
"""Operations that a selection may be written in, from what is selected of to what is given."""
MOST_AXES = 4
"""Axes of arrays that are compared in every order."""
Selection = tuple[int, int]
"""The value that is selected of, and what is selected."""


def before_selection(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side applies a function along an axis to what it has selected, the other before it selects."""
    half = piece.half(side)
    for start, chosen in _selections(half):
        for value in half.made:
            for name, axis in _along(half, chosen, value):
                function = partial(functions_along()[name], axis=axis)
                maker = half.program.maker[chosen]
                selects = half.program.operations[maker].name
                text = f"{NAMES[side]} applies {name} after {selects}, and {NAMES[other(side)]} before it"
                mend = f"apply {name} before {selects} in {NAMES[side]}"
                edits = always(Change(start, function), Alias(value, chosen))
                yield Hypothesis(side, text, mend, edits, maker, value)


@dataclass(frozen=True)
class _Part:
    """A part of one axis: from its place `start` to before `stop`, of so many."""

    axis: int
    start: int
    stop: int
    of: int

    def taken(self, array: NDArray) -> NDArray:
        """Take that part of an array."""
        return array[(*[slice(None)] * self.axis, slice(self.start, self.stop))]

    @property
    def index(self) -> str:
        """The index as people write it, counted from the nearer end: "[:, 1:]"."""
        last = self.stop if self.stop < self.of - self.stop else self.stop - self.of
        part = f"{self.start or ''}:{last or ''}"
        return f"[{', '.join([*[':'] * self.axis, part])}]"


def other_part(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side takes a part of an axis, such as all tokens but the first, where the other takes all of it."""
    half, theirs = piece.half(side), piece.half(other(side))
    made_here, made_there = Lookup(half.values), Lookup(theirs.values)
    for number, each in half.operations:
        if (part := _part(half, each)) is not None and not made_there.has(half.values[each.results[0]]):
            text = f"{NAMES[side]} takes the part {part.index}, and {NAMES[other(side)]} takes all"
            mend = f"take all in {NAMES[side]}, or that part in {NAMES[other(side)]}"
            yield Hypothesis(side, text, mend, always(Alias(each.results[0], each.operands[0])), number)
    for _, each in theirs.operations:
        if (part := _part(theirs, each)) is not None and not made_here.has(theirs.values[each.results[0]]):
            yield from _taking(half, side, theirs.values[each.operands[0]], part)


def _taking(half: Half, side: str, whole: NDArray, part: _Part) -> Iterator[Hypothesis]:
    """This side takes the part too, of the values that are the array of which the other takes it."""
    for number, each in half.operations:
        for value in each.operands:
            axis = _same_axis(whole, half.values[value], part.axis)
            if axis is None or len(each.results) != 1 or _selects(half, each):
                continue
            here = _Part(axis, part.start, part.stop, part.of)
            text = f"{NAMES[other(side)]} takes the part {here.index}, and {NAMES[side]} takes all"
            mend = f"take {here.index} in {NAMES[side]}"
            edit = Change(value, here.taken, ("part", here.index))
            yield Hypothesis(side, text, mend, always(edit), number, value)


def _selects(half: Half, each: Operation) -> bool:
    """Whether an operation picks numbers of what it takes, and computes none."""
    arrays = [half.values[value] for value in each.operands if half.values[value].dtype.kind == "f"]
    taken = half.values[each.results[0]]
    return len(arrays) == 1 and taken.size < arrays[0].size and bool(np.isin(taken, arrays[0]).all())


def _part(half: Half, each: Operation) -> _Part | None:
    """The part of one axis that an operation takes, if that is all it does."""
    if not each.operands or len(each.results) != 1:
        return None
    whole, taken = half.values[each.operands[0]], half.values[each.results[0]]
    if whole.ndim != taken.ndim or whole.dtype.kind != "f" or not 0 < taken.size < whole.size:
        return None
    axes = [axis for axis, sizes in enumerate(zip(whole.shape, taken.shape, strict=True)) if sizes[0] != sizes[1]]
    if len(axes) != 1:
        return None
    (axis,), length = axes, whole.shape[axes[0]]
    starts = range(length - taken.shape[axis] + 1)
    parts = (_Part(axis, start, start + taken.shape[axis], length) for start in starts)
    return next((part for part in parts if np.array_equal(part.taken(whole), taken)), None)


def _same_axis(whole: NDArray, array: NDArray, axis: int) -> int | None:
    """The axis of an array that is an axis of another one, which it is but for the order of its axes; None where it is
    another array."""
    if array.dtype.kind != "f" or sorted(array.shape) != sorted(whole.shape) or whole.ndim > MOST_AXES:
        return None
    for order in permutations(range(whole.ndim)):
        turned = whole.transpose(order)
        if turned.shape == array.shape and same(turned, array):
            return order.index(axis)
    return None


def _selections(half: Half) -> Iterator[Selection]:
    """Values of which numbers are picked along their last axis, with what is picked."""
    for chosen in half.made:
        array = half.values[chosen]
        if array.dtype.kind != "f" or array.ndim == 0:
            continue
        level = [chosen]
        for _ in range(STEPS):
            makers = (half.program.maker.get(v) for v in level)
            inside = [maker for maker in makers if maker is not None and maker in half.numbers]
            level = list(dict.fromkeys(v for maker in inside for v in half.program.operations[maker].operands))
            whole = next((v for v in level if _picks(half.values[v], array)), None)
            if whole is not None:
                yield whole, chosen
                break


def _picks(whole: NDArray, chosen: NDArray) -> bool:
    """Whether an array holds some of another's numbers, row by row along the last axis."""
    if (
        whole.dtype.kind != "f"
        or not whole.ndim
        or whole.shape[:-1] != chosen.shape[:-1]
        or not 0 < chosen.shape[-1] < whole.shape[-1]
    ):
        return False
    rows = whole.reshape(-1, whole.shape[-1]), chosen.reshape(-1, chosen.shape[-1])
    return all(bool(np.isin(row, of).all()) for of, row in zip(*rows, strict=True))


def _along(half: Half, chosen: int, value: int) -> Iterator[tuple[str, int]]:
    """The functions along the last axis by which a value is made of what was selected."""
    x, y = half.values[chosen], half.values[value]
    if value == chosen or x.shape != y.shape or y.dtype.kind != "f":
        return
    with np.errstate(all="ignore"):
        yield from ((name, -1) for name, function in functions_along().items() if same(function(x, axis=-1), y))
