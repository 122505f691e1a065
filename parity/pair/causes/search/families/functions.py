"""Hypotheses on what is applied: an operation, an activation or a factor too many, too few, or another one."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Operation
from parity.interface.programs.undone import source
from parity.pair.causes.known_functions import NOTHING, Function, applied, functions
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.turns import in_all_turns
from parity.pair.causes.search.written import NUMBERS, groups, pool_of, text_of

MOVES = frozenset({"reshape", "transpose", "broadcast_in_dim", "squeeze", "flatten", "unflatten", "clone", "detach",
                   "contiguous", "expand", "view", "convert_element_type", "to", "copy", "stop_gradient"})  # fmt: skip
"""Operations that change no number: without one of them nothing is otherwise."""
VERBS = {"add": "adds", "sub": "subtracts", "mul": "multiplies with", "div": "divides by", "max": "takes no less than",
         "min": "takes no more than", "maximum": "takes no less than", "minimum": "takes no more than"}  # fmt: skip
"""Name of an operation → what it does with its other operand."""


PLAIN = {
    "rev": "reverses what it takes (rev)",
    "flip": "reverses what it takes (flip)",
    "neg": "changes the sign (neg)",
}
"""Name of an operation on one array → what it does."""


WRITING = frozenset({"scatter", "index_put", "setitem", "index_fill"})
"""Operations that write into some places of an array."""
MASKING = frozenset({"masked_fill", "where", "select_n"})
"""Operations by which people mask."""
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
                edits = [Alias(o.results[0], o.operands[place], _grown(half, o, place)) for o in operations]
                binary = len(each.operands) > 1
                yield Hypothesis(side, *_extra(half, side, each, place), always(*edits), numbers[0], rewires=binary)


def _alike(array: NDArray, result: NDArray) -> bool:
    """Whether an operand may stand for the result, broadcast to its shape."""
    return array.dtype.kind == result.dtype.kind and _broadcasts(array.shape, result.shape)


def _broadcasts(shape: Sequence[int], to: Sequence[int]) -> bool:
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(to), strict=False))


def _grown(half: Half, operation: Operation, place: int) -> Function | None:
    """What brings an operand to the shape of the result that it stands for; None where it has that shape."""
    result = half.values[operation.results[0]].shape
    same_shape = half.values[operation.operands[place]].shape == result
    return None if same_shape else partial(np.broadcast_to, shape=result)


def _extra(half: Half, side: str, each: Operation, place: int) -> tuple[str, str]:
    taken = [named(half, value) for i, value in enumerate(each.operands) if i != place]
    rest = [text_of(v) for name, v in each.settings.items() if name.startswith(NUMBERS)]
    before, after = half.values[each.operands[place]], half.values[each.results[0]]
    name = applied(before, after) if before.dtype.kind == after.dtype.kind == "f" else ""
    if name not in ("", NOTHING):
        text = f"{NAMES[side]} applies {name}, and {NAMES[other(side)]} does not"
        return text, f"leave {name} out in {NAMES[side]}, or apply it in {NAMES[other(side)]}"
    verb, by = VERBS.get(each.name, f"applies {each.name} with"), " and ".join([*taken, *rest])
    if each.name in MASKING and len(each.operands) > 1:
        mask = named(half, next((v for v in each.operands if half.values[v].dtype.kind == "b"), each.operands[0]))
        at = f" at {each.place}" if each.place else ""
        text = f"{NAMES[side]} masks by {mask} ({each.name}), and {NAMES[other(side)]} does not: it ignores that mask"
        return text, f"mask in {NAMES[other(side)]} as {NAMES[side]} does{at}"
    if each.name in WRITING:
        text = f"{NAMES[side]} writes into some places ({each.name}), and {NAMES[other(side)]} does not"
        return text, f"leave {each.name} out in {NAMES[side]}, or write there too in {NAMES[other(side)]}"
    text = (
        f"{NAMES[side]} {verb} {by}, and {NAMES[other(side)]} does not"
        if by
        else f"{NAMES[side]} {PLAIN.get(each.name, f'applies {each.name}')}, and {NAMES[other(side)]} does not"
    )
    return text, f"leave {each.name} out in {NAMES[side]}, or add it in {NAMES[other(side)]}"


def unmoved(half: Half, value: int) -> int:
    """A value, or that of which it was made by steps that change no number."""
    maker = half.program.maker.get(value)
    while maker is not None and _moves(half, half.program.operations[maker]):
        value = half.program.operations[maker].operands[0]
        maker = half.program.maker.get(value)
    return value


def named(half: Half, value: int) -> str:
    """A value in words: the array of the network, or what gives it, through steps that change no number."""
    value = unmoved(half, value)
    maker = half.program.maker.get(value)
    kind, name = half.program.origins.get(value, ("", ""))
    if kind == "array":
        return name
    if maker is None:
        return f"the input {name}".strip() if kind == "input" else name or "an array"
    each = half.program.operations[maker]
    return f"what {each.name} gives{f' at {each.place}' if each.place else ''}"


def _moves(half: Half, operation: Operation) -> bool:
    """Whether an operation changes no number: it has such a name, or is an index that adds axes and takes all."""
    if not operation.operands:
        return False
    taken, result = (half.values.get(v) for v in (operation.operands[0], operation.results[0]))
    adds_axes = operation.name == "getitem" and taken is not None and result is not None and taken.size == result.size
    return operation.name in MOVES or adds_axes


def other_function(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An activation is another one than the other side's, or one side has none."""
    half = piece.half(side)
    theirs = Lookup(piece.half(other(side)).values)
    applied_there = {operation.name for _, operation in piece.half(other(side)).operations}
    steps = {name: function for name, function in STEPS.items() if name in applied_there}
    for value in _floating(half, _varying(half)):
        for name, function in {**functions(), **steps}.items():
            if name != NOTHING and theirs.has(_quietly(function, half.values[value])):
                text = f"{NAMES[other(side)]} applies {name}, and {NAMES[side]} does not"
                mend = f"apply {name} in {NAMES[side]}"
                for turns in in_all_turns(half, (value,)):
                    edits = [Change(v, function, ("apply", name)) for (v,) in turns]
                    yield Hypothesis(side, text, mend, always(*edits), _maker(half, value), value)


def _quietly(function: Function, array: NDArray) -> NDArray:
    """What a function gives, which may be none of some numbers."""
    with np.errstate(all="ignore"):
        return function(array)


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
    half, theirs = piece.half(side), Lookup(piece.half(other(side)).values)
    floating = _floating(half, list(half.values))
    for value in half.made:
        if value not in floating:
            continue
        for earlier in _above(half, value, floating):
            name = applied(half.values[earlier], half.values[value])
            if name and name != NOTHING:
                yield from _instead(side, half, (earlier, value), name, theirs)
                break


def _above(half: Half, value: int, floating: Sequence[int]) -> Iterator[int]:
    """The values of the same shape that a value may be a function of, nearest first."""
    shape = half.values[value].shape
    for candidate in reversed(list(half.values)):
        if candidate != value and candidate in floating and half.values[candidate].shape == shape:
            yield candidate


def _instead(side: str, half: Half, which: tuple[int, int], name: str, theirs: Lookup) -> Iterator[Hypothesis]:
    earlier, value = which
    array = half.values[earlier]
    for wanted, function in functions().items():
        if wanted in (name, NOTHING) or not theirs.has(_quietly(function, array)):
            continue
        if not same(function(array), array):  # else nothing would be applied there
            does = {side: name, other(side): wanted}
            text = f"Flax applies {does['flax']}, PyTorch applies {does['torch']}"
            for turns in in_all_turns(half, which):
                edits = [Alias(v, u, function, ("apply instead", wanted, name)) for u, v in turns]
                mend = f"apply {wanted} in {NAMES[side]}"
                yield Hypothesis(side, text, mend, always(*edits), _maker(half, value), value, exact=True)


def factors(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """What one side multiplies with, or adds, the other does not."""
    half = piece.half(side)
    written = [float(n) for n in pool_of(piece.half(other(side))) if isinstance(n, int | float) and np.isfinite(n)]
    for value in _floating(half, [*half.entering, *half.made]):
        times = _factors(half.values[value].shape, written)
        for factor, (words, fraction) in times.items():
            text = f"{NAMES[other(side)]} multiplies with {words}, and {NAMES[side]} does not"
            means = ("times", source(factor), fraction)
            change = Change(value, lambda a, factor=factor: a * factor, means)  # type: ignore[misc]
            mend = f"multiply with {words} in {NAMES[side]}"
            yield Hypothesis(side, text, mend, always(change), _maker(half, value), value)
        for offset in dict.fromkeys(n for w in (1.0, *written) for n in (w, -w) if n):
            text = f"{NAMES[other(side)]} adds {text_of(offset)}, and {NAMES[side]} does not"
            plus = "plus", source(offset)
            change = Change(value, lambda a, offset=offset: a + offset, plus)  # type: ignore[misc]
            mend = f"add {text_of(offset)} in {NAMES[side]}"
            yield Hypothesis(side, text, mend, always(change), _maker(half, value), value)


NEUTRAL = {"multiplies with": np.ones_like, "adds": np.zeros_like}
"""What an array that is used does → what it has to be to do nothing."""


def without_array(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side uses an array in several operations that the other does not use at all."""
    half = piece.half(side)
    takers: dict[int, int] = {}
    for _, each in half.operations:
        for value in set(each.operands):
            takers[value] = takers.get(value, 0) + 1
    for value in _floating(half, [v for v, count in takers.items() if count > 1 and half.values[v].size > 1]):
        for verb, neutral in NEUTRAL.items():
            text = f"{NAMES[side]} {verb} {named(half, value)} wherever it is used, and {NAMES[other(side)]} does not"
            mend = f"leave {named(half, value)} out in {NAMES[side]}, or use it in {NAMES[other(side)]}"
            yield Hypothesis(side, text, mend, always(Change(value, neutral)), _maker(half, value), value)


def _factors(shape: Sequence[int], written: Sequence[float]) -> dict[float, tuple[str, str]]:
    """Factors → how they are told, and the same as a number, a fraction or a root of plain numbers."""
    descriptions: dict[float, tuple[str, str]] = {}
    for number in (*written, 2.0, -1.0):
        for factor in (number, 1 / number if number else 0.0):
            if factor not in (0.0, 1.0):
                descriptions.setdefault(factor, (text_of(factor), text_of(factor)))
    for axis, size in enumerate(shape):
        if size > 1:
            n = "x.shape[0]" if axis == 0 and shape.index(size) == 0 and shape.count(size) == 1 else f"{size}"
            here = f", here {size}" if n != f"{size}" else ""
            for factor, words in ((sqrt(size), f"√{n}"), (1 / sqrt(size), f"1/√{n}"), (float(size), n),
                                  (1 / size, f"1/{n}"), (size / (size - 1), f"{n}/({n} - 1)"),
                                  ((size - 1) / size, f"({n} - 1)/{n}")):  # fmt: skip
                fraction = _plain(words.replace(n, f"{size}"))
                descriptions.setdefault(factor, (f"{words}{here}" if here else fraction, fraction))
    return descriptions


def _plain(words: str) -> str:
    """A fraction of plain numbers, worked out where it has a difference in it: "7/8" for "(8 - 1)/8"."""
    return re.sub(r"\((\d+) - 1\)", lambda match: str(int(match[1]) - 1), words)


def _maker(half: Half, value: int) -> int | None:
    return half.program.maker.get(value)


def _floating(half: Half, values: Sequence[int]) -> list[int]:
    return [value for value in values if half.values[value].dtype.kind == "f"]
