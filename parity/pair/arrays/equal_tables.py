"""Finds the tables of one side that are the other's, but for what float32 made of their numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.tables import are_one_table, finite, of_other_numbers, spread
from parity.interface.observation import Table

Turn = Callable[[NDArray], NDArray]
Window = tuple[Any, ...]
"""An index of a part of an array."""
MOST_AXES = 4
MOST_BESIDE = 4
"""So many tables may stand in one, beside each other or in turn, such as sines and cosines; of more the first is
looked for."""
FEWEST = 4
"""Fewer numbers may be a part of another table by chance."""
MOST_LEFT_OUT = 4
"""The most rows that are left for padding at the beginning of a table of positions; two are usual."""


@dataclass(frozen=True)
class Match:
    """A table of Flax's that is one of PyTorch's, rounded otherwise.

    Args:
        flax, torch: The two tables.
        after: PyTorch's numbers in the layout of Flax's table.
        gap: The largest difference of two numbers, relative to the largest number.
    """

    flax: Table
    torch: Table
    after: NDArray
    gap: float


def matches(flax: Sequence[Table], torch: Sequence[Table]) -> Iterator[Match]:
    """The tables of Flax's that PyTorch has too, whole or in parts, but with other numbers than float64's rounding
    gives."""
    for table in flax:
        pairs = [match for other in torch for match in _matches(table, other)]
        parts = [] if pairs else [part for other in torch for part in _parts(table, other)]
        nearest = min(pairs, key=lambda match: match.gap) if pairs else _joined(table, parts)
        if nearest is not None and of_other_numbers(nearest.gap):
            yield nearest


def _joined(flax: Table, parts: Sequence[tuple[Match, Window]]) -> Match | None:
    """The table with all of PyTorch's parts in their places."""
    if not parts:
        return None
    after = flax.array.copy()
    for match, window in parts:
        after[window] = match.after
    return Match(flax, parts[0][0].torch, after, max(match.gap for match, _ in parts))


def _parts(flax: Table, torch: Table) -> Iterator[tuple[Match, Window]]:
    """Where PyTorch's table, or what it repeats, is a part of Flax's: its first positions, and one of several tables
    beside each other."""
    for form in _forms(torch):
        yield from _windows(flax, form)


def _forms(table: Table) -> Iterator[Table]:
    """The table with one number along every axis along which it does not change; and what it repeats, or has tiled,
    along an axis."""
    array = _collapsed(table.array)
    index = tuple(
        slice(None) if kept == size else slice(1) for kept, size in zip(array.shape, table.array.shape, strict=True)
    )
    table = Table(array, table.moved[index], table.place)
    yield table
    for axis, size in enumerate(array.shape):
        halves = [np.arange(size // 2), np.arange(0, size, 2)] if size % 2 == 0 else []
        rest = [np.arange(size // 2, size), np.arange(1, size, 2)] if size % 2 == 0 else []
        for first, second in zip(halves, rest, strict=True):
            if np.array_equal(array.take(first, axis), array.take(second, axis)):
                yield Table(array.take(first, axis), table.moved.take(first, axis), table.place)


def _windows(flax: Table, torch: Table) -> Iterator[tuple[Match, Window]]:
    """The parts of Flax's table that are PyTorch's table."""
    places = [place for place, size in enumerate(flax.array.shape) if size > 1]
    theirs = [size for size in torch.array.shape if size > 1]
    if len(places) != len(theirs) or torch.array.size < FEWEST or len(places) > MOST_AXES:
        return
    sizes = [flax.array.shape[place] for place in places]
    for order in set(permutations(theirs)):
        if any(small > large for small, large in zip(order, sizes, strict=True)):
            continue
        starts = [_starts(small, large) for small, large in zip(order, sizes, strict=True)]
        for chosen in product(*starts):
            window: list[Any] = [slice(None)] * flax.array.ndim
            for place, start, small in zip(places, chosen, order, strict=True):
                window[place] = slice(start, start + small)
            where = tuple(window)
            inside = Table(flax.array[where], flax.moved[where], flax.place)
            yield from ((match, where) for match in _matches(inside, torch))


def _starts(small: int, large: int) -> list[int]:
    """Where a part of one length may begin in another: beside a part of its own length, or after a few rows that a
    table of positions leaves for padding."""
    last = large - small
    return sorted({*range(0, last + 1, small), *range(min(last, MOST_LEFT_OUT) + 1)})


def _matches(flax: Table, torch: Table) -> Iterator[Match]:
    narrow, theirs, explained = _collapsed(flax.array), _collapsed(torch.array), spread(flax)
    for turn in _turns(narrow.shape, theirs.shape):
        after = turn(theirs)
        if after.dtype.kind != flax.array.dtype.kind or not are_one_table(narrow, after, explained + spread(torch)):
            continue
        size = float(np.abs(finite(narrow)).max(initial=0.0))
        gap = float(np.abs(finite(after) - finite(narrow)).max(initial=0.0))
        yield Match(flax, torch, np.broadcast_to(after, flax.array.shape).copy(), gap / size if size else 0.0)


def _collapsed(array: NDArray) -> NDArray:
    """The table with one number along every axis along which it does not change."""
    for axis in range(array.ndim):
        first = array.take([0], axis)
        if array.shape[axis] > 1 and np.array_equal(array, np.broadcast_to(first, array.shape), equal_nan=True):
            array = first
    return array


def _turns(ours: tuple[int, ...], theirs: tuple[int, ...]) -> Iterator[Turn]:
    """How a table of the other shape may become one of ours: in another order of the axes, tiled or repeated along
    them, cut to the first positions, or as one of the tables that stand in it."""
    kept, other = [n for n in ours if n > 1], [n for n in theirs if n > 1]
    if len(kept) != len(other) or len(kept) > MOST_AXES or not kept:
        return
    for order in permutations(range(len(kept))):
        steps = [list(_along(axis, other[place], kept[axis])) for axis, place in enumerate(order)]
        for chosen in product(*steps):
            yield _combined(other, order, chosen, ours)


def _combined(other: Sequence[int], order: Sequence[int], steps: Sequence[Turn], shape: tuple[int, ...]) -> Turn:
    def turn(array: NDArray) -> NDArray:
        array = array.reshape(other).transpose(order)
        for step in steps:
            array = step(array)
        return array.reshape(shape)

    return turn


def _along(axis: int, theirs: int, ours: int) -> Iterator[Turn]:
    """How one axis of the other length becomes one of ours."""
    if theirs == ours:
        yield lambda array: array
    elif ours % theirs == 0:
        yield lambda array: np.concatenate([array] * (ours // theirs), axis)
        yield lambda array: array.repeat(ours // theirs, axis)
    elif theirs > ours:
        count = theirs // ours if theirs % ours == 0 else 1
        for place in range(count) if count <= MOST_BESIDE else (0,):
            yield lambda array, first=place * ours: array.take(range(first, first + ours), axis)  # type: ignore[misc]
            if count > 1:
                yield lambda array, first=place: array.take(range(first, theirs, count), axis)  # type: ignore[misc]
