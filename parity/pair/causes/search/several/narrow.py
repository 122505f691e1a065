"""Cuts a piece down to the operations after the last values that both sides have in one layout."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.pair.causes.search.piece import Half, Piece, same

MOST_AXES = 4
"""Axes of arrays that are tried in every order."""
WORTH = 10, 7
"""Of so many operations so many may be left at most for the piece to be worth a search of its own."""


def narrowed(piece: Piece) -> Piece | None:
    """The piece, starting from all values that both sides have in one layout; None where little is left out.

    Numbers that lie in another order are no such values: how they come to lie so may be what differs.
    """
    flax, torch = piece.flax, piece.torch
    agreeing: tuple[list[int], list[int]] = ([], [])
    theirs: dict[int, list[int]] = {}
    for value in torch.made:
        theirs.setdefault(torch.values[value].size, []).append(value)
    for value in flax.made:
        array = flax.values[value]
        for other in theirs.get(array.size, ()) if _tells(array) else ():
            if torch.values[other].dtype.kind == "f" and alike(array, torch.values[other]):
                agreeing[0].append(value)
                agreeing[1].append(other)
    ours, other_half = _from(flax, agreeing[0]), _from(torch, agreeing[1])
    left, every = (len(a.numbers) + len(b.numbers) for a, b in ((ours, other_half), (flax, torch)))
    if left * WORTH[0] > every * WORTH[1] or not (ours.numbers and other_half.numbers):
        return None
    return Piece(ours, other_half, piece.turns)


def _tells(array: NDArray) -> bool:
    """Whether an array can be told by its numbers: one number throughout, such as zeros, is alike by chance."""
    return array.dtype.kind == "f" and array.size > 1 and not bool((array == array.flat[0]).all())


def _from(half: Half, values: list[int]) -> Half:
    starts = [value for value in dict.fromkeys(values) if value != half.target]
    return Half(half.program.starting_from(starts), half.target, half.agreeing)


def alike(a: NDArray, b: NDArray) -> bool:
    """Whether two arrays are one but for the order of their axes, or for axes that are merged or split."""
    with np.errstate(all="ignore"):
        ours, theirs = (float(np.sum(np.square(array[np.isfinite(array)], dtype=np.float64))) for array in (a, b))
    if not abs(ours - theirs) <= 4 * AGREED * max(ours, theirs):
        return False
    flax, torch = a.squeeze(), b.squeeze()
    return any(same(layout, torch) for layout in _layouts(flax, torch))


def _layouts(a: NDArray, b: NDArray) -> Iterator[NDArray]:
    if a.ndim <= MOST_AXES and sorted(a.shape) == sorted(b.shape):
        for axes in permutations(range(a.ndim)):
            if a.transpose(axes).shape == b.shape:
                yield a.transpose(axes)
    elif a.size == b.size:
        yield a.reshape(b.shape)
