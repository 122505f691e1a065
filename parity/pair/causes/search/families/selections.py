"""Hypotheses on a function along an axis that stands before a selection on one side, and after it on the other, such as
a softmax and a top-k."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change
from parity.pair.causes.known_functions import functions_along
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece, same

STEPS = 6
"""Operations that a selection may be written in, from what is selected of to what is given."""
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
