"""Hypotheses on operations that people write in another way: the same name, another rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Change, Edit
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, other
from parity.pair.causes.search.piece import Piece

Rule = Callable[[NDArray, Sequence[int]], NDArray]
"""What is computed of an operation's operand for the shape of its result."""


def _windows(reduce: Callable[..., NDArray]) -> Rule:
    """An adaptive pool over windows that are all cut to one length; what is left over at the end is in none."""

    def pooled(x: NDArray, shape: Sequence[int]) -> NDArray:
        axes = [axis for axis in range(x.ndim) if x.shape[axis] != shape[axis]]
        out = np.empty(shape)
        for place in product(*(range(shape[axis]) for axis in axes)):
            index: list[slice | int] = [slice(None)] * x.ndim
            target: list[slice | int] = [slice(None)] * x.ndim
            for axis, i in zip(axes, place, strict=True):
                length = x.shape[axis] // shape[axis]
                index[axis], target[axis] = slice(i * length, (i + 1) * length), i
            out[tuple(target)] = reduce(x[tuple(index)], axis=tuple(axes))
        return out

    return pooled


VARIANTS: Mapping[str, Sequence[tuple[str, Rule]]] = {
    **{f"adaptive_avg_pool{n}d": [("windows of equal length", _windows(np.mean))] for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": [("windows of equal length", _windows(np.max))] for n in (1, 2, 3)},
}
"""Name of an operation → other rules for it, each with its name."""


def other_variant(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An operation goes by another rule on the other side."""
    half = piece.half(side)
    for number, each in half.operations:
        for name, rule in VARIANTS.get(each.name, ()):
            result, operand = each.results[0], each.operands[0]
            text = f"{NAMES[side]}'s {each.name} has PyTorch's overlapping windows, {NAMES[other(side)]} {name}"
            mend = f"cut the same windows in {NAMES[other(side)]}: from ⌊i·n/m⌋ to ⌈(i+1)·n/m⌉"
            yield Hypothesis(side, text, mend, _by(side, (operand, result), rule), number, result)


EXTREMES: Mapping[str, tuple[str, Callable[..., NDArray]]] = {
    "argmax": ("argmin", np.argmin),
    "argmin": ("argmax", np.argmax),
}
"""Name of an operation → the name of its opposite, and that."""


def other_extreme(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side takes the place of the largest number, the other that of the smallest."""
    half = piece.half(side)
    for number, each in half.operations:
        if each.name not in EXTREMES or len(each.operands) != 1 or len(each.results) != 1:
            continue
        name, function = EXTREMES[each.name]
        shape, wanted = half.values[each.operands[0]].shape, half.values[each.results[0]].shape
        for axis in (axis for axis in range(len(shape)) if (*shape[:axis], *shape[axis + 1 :]) == wanted):
            text = f"{NAMES[side]} takes {each.name}, {NAMES[other(side)]} {name}"
            edits = _by(side, (each.operands[0], each.results[0]), _along(function, axis))
            yield Hypothesis(side, text, f"take {name} in {NAMES[side]}", edits, number, each.results[0])


def _along(function: Callable[..., NDArray], axis: int) -> Rule:
    return lambda x, shape: function(x, axis=axis)


def _by(side: str, values: tuple[int, int], rule: Rule) -> Callable[[Piece], Sequence[Edit]]:
    operand, result = values

    def edits(piece: Piece) -> Sequence[Edit]:
        half = piece.half(side)
        pooled = rule(half.values[operand], half.values[result].shape)
        return [Change(result, lambda _: pooled)]

    return edits
