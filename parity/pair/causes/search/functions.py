"""Hypotheses on what is applied: an operation, an activation or a factor too many, too few, or another one."""

from collections.abc import Callable, Iterator, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Edit, Operation
from parity.pair.causes.known_functions import NOTHING, Function, applied, functions
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.written import NUMBERS, groups, pool_of, told

MOVES = frozenset({"reshape", "transpose", "broadcast_in_dim", "squeeze", "flatten", "unflatten", "clone", "detach",
                   "contiguous", "expand", "view", "convert_element_type", "to", "copy", "stop_gradient"})  # fmt: skip
"""Operations that change no number: without one of them nothing is otherwise."""
VERBS = {"add": "adds", "sub": "subtracts", "mul": "multiplies with", "div": "divides by", "max": "takes no less than",
         "min": "takes no more than", "maximum": "takes no less than", "minimum": "takes no more than"}  # fmt: skip
"""Name of an operation → what it does with its other operand."""


STEPS: dict[str, Function] = {"floor": np.floor, "ceil": np.ceil, "round": np.round}
"""Functions to whole numbers, which close any small gap to numbers that are whole: one is a cause only where the other
side applies it by that name."""


def left_out(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side applies an operation, or all of one line, that the other does not."""
    half = piece.half(side)
    for numbers, each in groups(half):
        if each.name in MOVES or len(each.results) != 1:
            continue
        result = half.values[each.results[0]]
        if each.name == "select_n" and result.dtype.kind in "iu":
            continue  # JAX's own way to count indices from the end
        for place, operand in enumerate(each.operands):
            if _alike(half.values[operand], result):
                operations = [half.program.operations[n] for n in numbers]
                edits = [Alias(o.results[0], o.operands[place]) for o in operations]
                yield Hypothesis(side, *_extra(half, side, each, place), always(*edits), numbers[0])


def _alike(array: NDArray, result: NDArray) -> bool:
    return array.shape == result.shape and array.dtype.kind == result.dtype.kind


def _extra(half: Half, side: str, each: Operation, place: int) -> tuple[str, str]:
    taken = [named(half, value) for i, value in enumerate(each.operands) if i != place]
    rest = [told(v) for name, v in each.settings.items() if name.startswith(NUMBERS)]
    verb, by = VERBS.get(each.name, f"applies {each.name} with"), " and ".join([*taken, *rest])
    text = (
        f"{NAMES[side]} {verb} {by}, and {NAMES[other(side)]} does not"
        if by
        else (f"{NAMES[side]} applies {each.name}, and {NAMES[other(side)]} does not")
    )
    return text, f"leave {each.name} out in {NAMES[side]}, or add it in {NAMES[other(side)]}"


def named(half: Half, value: int) -> str:
    """A value in words: the array of the network, or what gives it, through steps that change no number."""
    maker = half.program.maker.get(value)
    while maker is not None and half.program.operations[maker].name in MOVES:
        if not half.program.operations[maker].operands:
            break
        value = half.program.operations[maker].operands[0]
        maker = half.program.maker.get(value)
    kind, name = half.program.given.get(value, ("", ""))
    if kind == "array":
        return name
    if maker is None:
        return name or "an array"
    each = half.program.operations[maker]
    return f"what {each.name} gives{f' at {each.place}' if each.place else ''}"


def other_function(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An activation is another one than the other side's, or one side has none."""
    half = piece.half(side)
    applied_there = {operation.name for _, operation in piece.half(other(side)).operations}
    steps = {name: function for name, function in STEPS.items() if name in applied_there}
    for value in _floating(half, _varying(half)):
        for name, function in {**functions(), **steps}.items():
            if name != NOTHING:
                text = f"{NAMES[other(side)]} applies {name}, and {NAMES[side]} does not"
                mend = f"apply {name} in {NAMES[side]}"
                yield Hypothesis(side, text, mend, always(Change(value, function)), _maker(half, value), value)


def _varying(half: Half) -> list[int]:
    """The values that are more than a number of the program, such as a count of elements that it computes with: what is
    done to such a number may give another one by chance (the exponential of 0 is 1)."""
    numbers = {value for value in half.entering if half.values[value].size == 1}
    for _, each in half.operations:
        if all(operand in numbers for operand in each.operands):
            numbers |= {result for result in each.results if half.values[result].size == 1}
    return [value for value in (*half.entering, *half.made) if value not in numbers]


def replaced_function(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An activation of one side, written out or not, is another one on the other side."""
    half = piece.half(side)
    floating = _floating(half, list(half.values))
    for value in half.made:
        if value not in floating:
            continue
        for source in _above(half, value, floating):
            name = applied(half.values[source], half.values[value])
            if name and name != NOTHING:
                yield from _instead(side, half, (source, value), name)
                break


def _above(half: Half, value: int, floating: Sequence[int]) -> Iterator[int]:
    """The values of the same shape that a value may be a function of, nearest first."""
    shape = half.values[value].shape
    for candidate in reversed(list(half.values)):
        if candidate != value and candidate in floating and half.values[candidate].shape == shape:
            yield candidate


def _instead(side: str, half: Half, which: tuple[int, int], name: str) -> Iterator[Hypothesis]:
    source, value = which
    array = half.values[source]
    for wanted, function in functions().items():
        if wanted not in (name, NOTHING) and not same(function(array), array):  # else nothing would be applied there
            does = {side: name, other(side): wanted}
            text = f"Flax applies {does['flax']}, PyTorch applies {does['torch']}"
            yield Hypothesis(
                side, text, f"apply {wanted} in {NAMES[side]}", _of_source(side, source, value, function),
                _maker(half, value), value
            )  # fmt: skip


def _of_source(
    side: str, source: int, value: int, function: Callable[[NDArray], NDArray]
) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        array = piece.half(side).values[source]
        return [Change(value, lambda _: function(array))]

    return edits


def factors(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """What one side multiplies with, or adds, the other does not."""
    half = piece.half(side)
    written = [float(n) for n in pool_of(piece.half(other(side))) if isinstance(n, int | float) and np.isfinite(n)]
    for value in _floating(half, [*half.entering, *half.made]):
        times = _factors(half.values[value].shape, written)
        for factor, words in times.items():
            text = f"{NAMES[other(side)]} multiplies with {words}, and {NAMES[side]} does not"
            change = Change(value, lambda a, factor=factor: a * factor)  # type: ignore[misc]
            mend = f"multiply with {words} in {NAMES[side]}"
            yield Hypothesis(side, text, mend, always(change), _maker(half, value), value)
        for offset in dict.fromkeys(n for w in (1.0, *written) for n in (w, -w) if n):
            text = f"{NAMES[other(side)]} adds {told(offset)}, and {NAMES[side]} does not"
            change = Change(value, lambda a, offset=offset: a + offset)  # type: ignore[misc]
            mend = f"add {told(offset)} in {NAMES[side]}"
            yield Hypothesis(side, text, mend, always(change), _maker(half, value), value)


def _factors(shape: Sequence[int], written: Sequence[float]) -> dict[float, str]:
    """Factors → how they are told."""
    found: dict[float, str] = {}
    for number in (*written, 2.0, -1.0):
        for factor in (number, 1 / number if number else 0.0):
            if factor not in (0.0, 1.0):
                found.setdefault(factor, told(factor))
    for size in dict.fromkeys(shape):
        if size > 1:
            for factor, words in ((sqrt(size), f"√{size}"), (1 / sqrt(size), f"1/√{size}"), (float(size), f"{size}"),
                                  (1 / size, f"1/{size}"), (size / (size - 1), f"{size}/{size - 1}"),
                                  ((size - 1) / size, f"{size - 1}/{size}")):  # fmt: skip
                found.setdefault(factor, words)
    return found


def _maker(half: Half, value: int) -> int | None:
    return half.program.maker.get(value)


def _floating(half: Half, values: Sequence[int]) -> list[int]:
    return [value for value in values if half.values[value].dtype.kind == "f"]
