"""Hypotheses on what is taken along axes: a mean where the other side takes the largest, one norm for another."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.turns import in_all_turns

STEPS, MOST_AXES = 4, 3
"""Operations that a reduction may be written in at most, and axes that it may be along."""
Axes = tuple[int, ...]


def _at(place: int, x: NDArray, axis: Axes) -> NDArray:
    """What is at one place along each of some axes."""
    return x[tuple(place if number in axis else slice(None) for number in range(x.ndim))]


REDUCTIONS: Mapping[str, Callable[..., NDArray]] = {
    "the first": partial(_at, 0),
    "the last": partial(_at, -1),
    "the mean": np.mean,
    "the sum": np.sum,
    "the largest": np.max,
    "the smallest": np.min,
    "the sum of squares": lambda x, axis: np.square(x).sum(axis),
    "the mean of squares": lambda x, axis: np.square(x).mean(axis),
    "the root of the sum of squares (L2 norm)": lambda x, axis: np.sqrt(np.square(x).sum(axis)),
    "the root of the mean of squares": lambda x, axis: np.sqrt(np.square(x).mean(axis)),
    "the sum of absolute numbers (L1 norm)": lambda x, axis: np.abs(x).sum(axis),
    "the mean of absolute numbers": lambda x, axis: np.abs(x).mean(axis),
    "the largest absolute number": lambda x, axis: np.abs(x).max(axis),
    "the variance": np.var,
    "the standard deviation": np.std,
    "the product": np.prod,
    "the median": np.median,
    "the logarithm of the sum of exponentials": lambda x, axis: np.log(np.exp(x).sum(axis)),
}
"""What is taken of numbers along axes, in words, and its function of an array and of `axis`."""
PLACES = frozenset({"the first", "the last"})
"""Those of them that pick a place."""


def other_reduction(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """What one side takes along axes is something else than what the other takes."""
    half, theirs = piece.half(side), Lookup(piece.half(other(side)).values)
    for value in (v for v in half.made if half.values[v].dtype.kind == "f"):
        reduction = next(_reduced(half, value), None)
        if reduction is None:
            continue
        earlier, axes, does = reduction
        with np.errstate(all="ignore"):
            ways = {name: function(half.values[earlier], axis=axes) for name, function in REDUCTIONS.items()}
        for name, array in ways.items():
            places = {name, does} <= PLACES  # one step of a loop may be both
            if name != does and not places and not same(array, ways[does]) and theirs.has(array):
                yield from _instead(half, side, (earlier, value, axes), (does, name))


def _instead(half: Half, side: str, where: tuple[int, int, Axes], words: tuple[str, str]) -> Iterator[Hypothesis]:
    earlier, value, axes = where
    does, name = words
    along = f"along axis {axes[0]}" if len(axes) == 1 else f"along axes {axes}"
    text = f"{NAMES[side]} takes {does} {along}, {NAMES[other(side)]} {name}"
    for turns in in_all_turns(half, (earlier, value)):
        edits = [
            Alias(
                v,
                u,
                partial(_along, function=REDUCTIONS[name], axes=axes, shape=half.values[v].shape),
                ("reduce", name, *(str(axis) for axis in axes)),
            )
            for u, v in turns
        ]
        yield Hypothesis(
            side,
            text,
            f"take {name} in {NAMES[side]}",
            always(*edits),
            half.program.maker.get(value),
            value,
            exact=True,
        )


def _along(array: NDArray, function: Callable[..., NDArray], axes: Axes, shape: tuple[int, ...]) -> NDArray:
    with np.errstate(all="ignore"):
        return function(array, axis=axes).reshape(shape)


def _reduced(half: Half, value: int) -> Iterator[tuple[int, Axes, str]]:
    """A value from which this one is taken along axes, the nearest first, with the axes and what is taken."""
    array = half.values[value]
    for earlier in _above(half, value):
        x = half.values[earlier]
        if x.dtype.kind != "f" or x.size <= array.size or not array.size:
            continue
        for axes in axes_between(x, array.size):
            with np.errstate(all="ignore"):
                for name, function in REDUCTIONS.items():
                    taken = function(x, axis=axes)
                    if taken.size == array.size and same(taken.ravel(), array.ravel()):
                        yield earlier, axes, name


def _above(half: Half, value: int) -> Iterator[int]:
    """The values that a value is made of, through a few operations, the nearest first."""
    level = [value]
    for _ in range(STEPS):
        makers = [half.program.maker.get(v) for v in level]
        inside = [maker for maker in makers if maker is not None and maker in half.numbers]
        level = list(dict.fromkeys(v for maker in inside for v in half.program.operations[maker].operands))
        yield from level


def axes_between(x: NDArray, size: int, most: int = MOST_AXES) -> Iterator[Axes]:
    """The axes, so many at most, along which an array may have been reduced to so many numbers."""
    every = range(x.ndim)
    for axes in (c for count in range(1, most + 1) for c in combinations(every, count)):
        if x.size == size * int(np.prod([x.shape[axis] for axis in axes])):
            yield axes
