"""Finds the operation at which two programs part: by the values that agree, and by handing one side's values on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.interface.programs.operations import Change
from parity.pair.causes.search.piece import Half, Piece, same_numbers

MOST = 3_000
"""Pairs of values that are tried."""
MOST_AXES = 4
"""Axes of arrays that are tried in every order."""


@dataclass(frozen=True)
class Parting:
    """Where two programs part: an operation of each. What these take agrees; what they give does not, and from there on
    the programs are the same again.

    Args:
        flax, torch: the numbers of the operations.
    """

    flax: int
    torch: int


def parting(piece: Piece) -> Parting | None:
    """The first pair of values that differ, and after which all is the same: with Flax's in the place of PyTorch's, the
    gap closes; None if there is none but the targets.
    """
    flax, torch = piece.flax, piece.torch
    agreed = _agreed(torch, flax)
    ours = [v for v in flax.made if not any(same_numbers(flax.values[v], a) for a in _of_size(torch, flax.values[v]))]
    for tried, (value, their) in enumerate(_pairs(torch, flax, agreed, ours)):
        if tried >= MOST:
            break
        for array in _laid_out(flax.values[their], torch.values[value]):
            after = torch.with_edits([Change(value, lambda _, array=array: array)])  # type: ignore[misc]
            if closes(piece.gap, piece.gap_to("torch", after)):
                return Parting(flax.program.maker[their], torch.program.maker[value])
    return None


def _agreed(half: Half, theirs: Half) -> set[int]:
    """The values of a side that the other has too."""
    return {v for v in half.values if any(same_numbers(half.values[v], a) for a in _of_size(theirs, half.values[v]))}


def _of_size(half: Half, array: NDArray) -> Iterator[NDArray]:
    return (a for a in half.values.values() if a.size == array.size > 1 and a.dtype.kind == array.dtype.kind)


def _pairs(torch: Half, flax: Half, agreed: set[int], ours: list[int]) -> Iterator[tuple[int, int]]:
    """Values that differ, of one size, PyTorch's in order."""
    for value in torch.made:
        array = torch.values[value]
        if value not in agreed and array.dtype.kind == "f":
            yield from (
                (value, u) for u in ours if flax.values[u].size == array.size and flax.values[u].dtype.kind == "f"
            )


def _laid_out(array: NDArray, like: NDArray) -> Iterator[NDArray]:
    """An array in the layouts that have the shape of another."""
    seen: list[NDArray] = []
    if array.ndim <= MOST_AXES and sorted(array.shape) == sorted(like.shape):
        for axes in permutations(range(array.ndim)):
            turned = array.transpose(axes)
            if turned.shape == like.shape and not any(np.array_equal(turned, other) for other in seen):
                seen.append(turned)
                yield turned
    else:
        yield array.reshape(like.shape)
