"""Finds the operation at which two programs part: by the values that agree, and by handing one side's values on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.interface.programs.operations import Change, Edit, Operation
from parity.pair.causes.search.hypothesis import Hypothesis
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import SIDES, Half, Piece, same_numbers
from parity.pair.causes.search.turns import in_all_turns

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
        values: the numbers of the values that they give, Flax's and PyTorch's.
        axes: Flax's axes in PyTorch's order; None where the value is reshaped.
    """

    flax: int
    torch: int
    values: tuple[int, int]
    axes: tuple[int, ...] | None


_FORKS: WeakKeyDictionary[Piece, Parting | None] = WeakKeyDictionary()


def fork_of(piece: Piece) -> Parting | None:
    """The same as `parting`, which is asked once for each piece."""
    if piece not in _FORKS:
        _FORKS[piece] = parting(piece)
    return _FORKS[piece]


def lines_of_fork(piece: Piece) -> dict[str, str]:
    """Each side's line of the operation at which the programs part, where it is known."""
    fork = fork_of(piece)
    if fork is None:
        return {}
    places = {side: piece.half(side).program.operations[getattr(fork, side)].place for side in SIDES}
    return {side: place for side, place in places.items() if place}


def parting(piece: Piece) -> Parting | None:
    """The first pair of values that differ, and after which all is the same: with Flax's in the place of PyTorch's, the
    gap closes; None if there is none but the targets.
    """
    flax, torch = piece.flax, piece.torch
    ours_there, theirs_there = Lookup(flax.values), Lookup(torch.values)
    agreed = {v for v in torch.made if ours_there.has(torch.values[v])}
    ours = [v for v in flax.made if not theirs_there.has(flax.values[v])]
    for tried, (value, their) in enumerate(_pairs(torch, flax, agreed, ours)):
        if tried >= MOST:
            break
        for axes in _layouts(flax.values[their], torch.values[value]):
            for turns in _turns(piece, their, value):
                arrays = [_laid_out(flax.values[u], torch.values[v], axes) for u, v in turns]
                edits = [Change(v, partial(_replacement, array=a)) for (_, v), a in zip(turns, arrays, strict=True)]
                if closes(piece.gap, piece.gap_to("torch", torch.with_edits(edits))):
                    return Parting(flax.program.maker[their], torch.program.maker[value], (their, value), axes)
    return None


def _replacement(_: NDArray, array: NDArray) -> NDArray:
    return array


def _turns(piece: Piece, their: int, value: int) -> Iterator[list[tuple[int, int]]]:
    """A value of Flax's and one of PyTorch's; then both in all turns of the loop that both are made in."""
    yield [(their, value)]
    ours, theirs = ([v for (v,) in turns] for turns in map(_first_turns, (piece.flax, piece.torch), (their, value)))
    turns = list(zip(ours, theirs, strict=False))
    first = [half.values[v].shape for half, v in ((piece.flax, their), (piece.torch, value))]
    if len(ours) == len(theirs) > 1 and all(
        [piece.flax.values[u].shape, piece.torch.values[v].shape] == first for u, v in turns
    ):
        yield turns


def _first_turns(half: Half, value: int) -> list[tuple[int, ...]]:
    return next(in_all_turns(half, (value,)))


def _pairs(torch: Half, flax: Half, agreed: set[int], ours: list[int]) -> Iterator[tuple[int, int]]:
    """Values that differ, of one size, PyTorch's in order."""
    for value in torch.made:
        array = torch.values[value]
        if value not in agreed and array.dtype.kind == "f":
            yield from (
                (value, u) for u in ours if flax.values[u].size == array.size and flax.values[u].dtype.kind == "f"
            )


def _layouts(array: NDArray, like: NDArray) -> Iterator[tuple[int, ...] | None]:
    """The orders of an array's axes that have the shape of another; None, a reshape, where there are none."""
    seen: list[NDArray] = []
    if array.ndim <= MOST_AXES and sorted(array.shape) == sorted(like.shape):
        for axes in permutations(range(array.ndim)):
            turned = array.transpose(axes)
            if turned.shape == like.shape and not any(np.array_equal(turned, other) for other in seen):
                seen.append(turned)
                yield axes
    else:
        yield None


def _laid_out(array: NDArray, like: NDArray, axes: tuple[int, ...] | None) -> NDArray:
    return array.reshape(like.shape) if axes is None else array.transpose(axes)


PARTS = frozenset({"reshape", "transpose", "convert_element_type", "broadcast_in_dim", "squeeze", "slice", "split",
                   "concatenate", "getitem", "view", "permute", "cat", "stack", "dot_general", "matmul", "einsum",
                   "linear", "conv_general_dilated"})  # fmt: skip
"""Operations of which it says nothing that their name is another one: what lies in which order is the cause."""


def other_operation(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side computes something of the same numbers by one operation, and the other by another."""
    fork = fork_of(piece)
    if fork is None or side != "torch":
        return
    flax, torch = piece.flax.program.operations[fork.flax], piece.torch.program.operations[fork.torch]
    if {flax.name, torch.name} & PARTS or flax.name == torch.name or not _same_operands(piece, flax, torch):
        return
    at = f" at {flax.place}" if flax.place else ""
    text = f"Flax applies {flax.name}{at} where PyTorch applies {torch.name}"
    mend = f"write in PyTorch what {flax.name} is{at}, or in Flax what {torch.name} is"
    yield Hypothesis("torch", text, mend, _handed_over(fork), fork.torch, fork.values[1])


def _same_operands(piece: Piece, flax: Operation, torch: Operation) -> bool:
    """Whether both operations take the same floating arrays, and any at all."""
    ours, theirs = (
        [half.values[v] for v in each.operands if half.values[v].dtype.kind == "f" and half.values[v].size > 1]
        for half, each in ((piece.flax, flax), (piece.torch, torch))
    )
    return bool(ours) and len(ours) == len(theirs) and all(any(same_numbers(a, b) for b in theirs) for a in ours)


def _handed_over(fork: Parting) -> Callable[[Piece], Sequence[Edit]]:
    their, value = fork.values

    def edits(piece: Piece) -> Sequence[Edit]:
        array = _laid_out(piece.flax.values[their], piece.torch.values[value], fork.axes)
        return [Change(value, lambda _: array)]

    return edits
