"""Hypotheses on order: halves, gates or heads that lie otherwise, flips, shifts, and values taken for one another."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Edit
from parity.interface.programs.undone import source
from parity.pair.causes.search.families.functions import named
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.operation import fork_of
from parity.pair.causes.search.piece import Half, Piece, same

PARTS = (2, 3, 4)
"""Parts of an axis whose order may differ: halves, a GRU's gates, an LSTM's."""
SHOWN = 8
"""Places of an order that are told."""
Order = Callable[[NDArray], NDArray]


def other_order(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """The numbers of a value lie in another order along an axis."""
    half = piece.half(side)
    for values in _nearest_first(piece, side):
        shape = half.values[values[0]].shape
        for words, order in orders(shape):
            if all(half.values[v].ndim == len(shape) for v in values):
                edits: list[Edit] = [Change(value, order, means_of(order)) for value in values]
                text = words.format(NAMES[side], NAMES[other(side)])
                if half.values[values[0]].dtype.kind == "b":
                    text = f"in a mask ({named(half, values[0])}), {text}"
                mend = f"bring the numbers into {NAMES[other(side)]}'s order in {NAMES[side]}"
                yield Hypothesis(side, text, mend, always(*edits), half.program.maker.get(values[0]), values[0])


def _nearest_first(piece: Piece, side: str) -> list[list[int]]:
    """Values that are changed together, those first that lie nearest to where the programs part."""
    half, fork = piece.half(side), fork_of(piece)
    every = list(_together(half))
    if fork is None:
        return every
    at = getattr(fork, side)
    first_taker = {value: number for number, each in reversed(half.operations) for value in each.operands}

    def away(values: list[int]) -> int:
        number = half.program.maker.get(values[0])
        inside = number is not None and number in half.numbers
        return abs((number if inside and number is not None else first_taker.get(values[0], at)) - at)

    return sorted(every, key=away)


def _together(half: Half) -> Iterator[list[int]]:
    """Values that are changed together: those that one line makes in all its calls, then each alone; and what each side
    starts from."""
    inside, seen = set(half.numbers), set[int]()
    used = {value for _, each in half.operations for value in each.operands}
    for value in half.entering:
        if half.values[value].size > 1 and value in used:
            yield [value]
    for number, each in half.operations:
        if number in seen:
            continue
        group = [n for n in half.program.places.visits(number) if n in inside]
        seen.update(group)
        for place, value in enumerate(each.results):
            if half.values[value].size < 2:
                continue
            every = [half.program.operations[n].results[place] for n in group]
            yield every
            if len(every) > 1:
                yield from ([result] for result in every)
        for place, value in enumerate(each.operands):
            taken = list(dict.fromkeys(half.program.operations[n].operands[place] for n in group))
            if len(taken) > 1 and half.values[value].size > 1:
                yield taken


def orders(shape: Sequence[int]) -> Iterator[tuple[str, Order]]:
    """Orders of an array of that shape, in words with places for the side that is undone and for the other."""
    axes = len(shape)
    for axis in reversed(range(axes)):
        yield from _along(axis - axes, shape[axis])
    for first, second in combinations(range(axes), 2):
        a, b = first - axes, second - axes
        if shape[first] == shape[second] > 1:
            yield f"{{0}}'s axes {a} and {b} are swapped against {{1}}'s", partial(np.swapaxes, axis1=a, axis2=b)
        elif shape[first] > 1 and shape[second] > 1:
            words = f"{{0}} splits the numbers of axes {a} and {b} in the order ({a}, {b}), {{1}} in that of ({b}, {a})"
            yield words, partial(_swapped, first=first, second=second)


def _along(axis: int, size: int) -> Iterator[tuple[str, Order]]:
    """Orders along one axis, counted from the last."""
    for parts in PARTS:
        if size % parts == 0 and size > parts - 1:
            yield from _blocks(axis, parts)
    for parts in (n for n in range(2, size) if size % n == 0):
        places = [str(place) for place in _dealt(np.arange(size), 0, parts)]
        text = f"{', '.join(places[:SHOWN])}{', …' if size > SHOWN else ''}"
        words = f"along axis {axis}, {{1}} has {{0}}'s numbers in the order {text}: interleaved against {parts} blocks"
        yield words, partial(_dealt, axis=axis, parts=parts)
    for parts, unit in ((n, u) for n in range(2, size) for u in range(2, size) if size % (n * u) == 0 and n * u < size):
        places = [str(place) for place in _dealt(np.arange(size // unit), 0, parts)]
        text = f"{', '.join(places[:SHOWN])}{', …' if size // unit > SHOWN else ''}"
        words = f"along axis {axis}, {{1}} has {{0}}'s blocks of {unit} numbers in the order {text}"
        yield words, partial(_dealt_in_blocks, axis=axis, parts=parts, unit=unit)
    if size > 1:
        yield f"{{0}}'s axis {axis} runs the other way than {{1}}'s", partial(np.flip, axis=axis)
        for step in (1, -1):
            words = f"{{0}}'s numbers are shifted by {-step} along axis {axis} against {{1}}'s"
            yield words, partial(np.roll, shift=step, axis=axis)


def means_of(order: Order) -> tuple[str, ...]:
    """What an order of `orders` does: the name of its function, and what that is given, as Python's source."""
    assert isinstance(order, partial)
    return (order.func.__name__.strip("_"), *(source(value) for value in order.keywords.values()))


def _blocks(axis: int, parts: int) -> Iterator[tuple[str, Order]]:
    for order in permutations(range(parts)):
        if order != tuple(range(parts)):
            names = "halves" if parts == 2 else f"{parts} parts"
            text = ", ".join(str(place + 1) for place in order)
            words = f"the {names} of {{0}}'s axis {axis} are in another order: {{1}} has {{0}}'s parts {text}"
            yield words, partial(_ordered, axis=axis, order=order)


def _ordered(array: NDArray, axis: int, order: Sequence[int]) -> NDArray:
    parts = np.split(array, len(order), axis)
    return np.concatenate([parts[place] for place in order], axis)


def _dealt(array: NDArray, axis: int, parts: int) -> NDArray:
    """Neighbours brought apart: 0 1 0 1 becomes 0 0 1 1."""
    axis, shape = axis % array.ndim, array.shape
    split = array.reshape(*shape[:axis], shape[axis] // parts, parts, *shape[axis + 1 :])
    return split.swapaxes(axis, axis + 1).reshape(shape)


def _dealt_in_blocks(array: NDArray, axis: int, parts: int, unit: int) -> NDArray:
    """Neighbouring blocks brought apart: 0 0 1 1 0 0 1 1 becomes 0 0 0 0 1 1 1 1."""
    axis, shape = axis % array.ndim, array.shape
    split = array.reshape(*shape[:axis], shape[axis] // (parts * unit), parts, unit, *shape[axis + 1 :])
    return split.swapaxes(axis, axis + 1).reshape(shape)


def _swapped(array: NDArray, first: int, second: int) -> NDArray:
    """The numbers as if these two axes had been split off in the other order."""
    shape = list(array.shape)
    shape[first], shape[second] = shape[second], shape[first]
    return array.reshape(shape).swapaxes(first, second)


def run_again(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side runs a line once more than the other."""
    half = piece.half(side)
    for number, each in half.operations:
        earlier = [half.program.operations[n] for n in half.program.places.visits(number) if n < number]
        for place, value in enumerate(each.results):
            instead = [turn.results[place] for turn in earlier[-1:] if turn.results[place] in half.values]
            if instead and _fits(half, value, instead[0]):
                text = f"{NAMES[side]} runs the line of this {each.name} once more than {NAMES[other(side)]}"
                mend = f"run {each.place} once less in {NAMES[side]}"
                yield Hypothesis(side, text, mend, always(Alias(value, instead[0])), number, value)


def other_value(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side takes another value where it should take this one: one of equal shape, before or after another step."""
    half = piece.half(side)
    names = names_of_calls(half)
    for value in [*half.made, *half.entering]:
        for instead in half.values:
            if instead != value and _fits(half, value, instead) and _kind(half, instead) in ("", _kind(half, value)):
                was, wanted = value_words(half, value, names), value_words(half, instead, names)
                text = f"{NAMES[side]} takes {was}; with {wanted} it is {NAMES[other(side)]}'s"
                maker = half.program.maker.get(value)
                mend = f"take {wanted} in {NAMES[side]}"
                edit = Alias(value, instead)
                yield Hypothesis(side, text, mend, always(edit), maker, value, rewires=True)


def _kind(half: Half, value: int) -> str:
    return "array" if half.program.origins.get(value, ("", ""))[0] == "array" else ""


def _fits(half: Half, value: int, instead: int) -> bool:
    a, b = half.values[value], half.values[instead]
    return a.shape == b.shape and a.dtype.kind == b.dtype.kind and not same(a, b)


def names_of_calls(half: Half) -> dict[int, str]:
    """Value → the module that gives it, the innermost one, and by which of its calls where there are several."""
    names: dict[int, str] = {}
    counts = Counter(call.path for call in half.program.calls)
    nth = Counter[str]()
    for call in half.program.calls:
        nth[call.path] += 1
        several = call.path and counts[call.path] > 1
        for value in call.outputs:
            names.setdefault(value, f"the {ordinal(nth[call.path])} call of {call.path}" if several else call.path)
    return names


def value_words(half: Half, value: int, names: Mapping[int, str]) -> str:
    """A value in words: an array of the network or an input by its name, or what gives it."""
    kind, name = half.program.origins.get(value, ("", ""))
    if kind == "input":
        return f"the input {name}".strip()
    if kind == "array":
        return name
    maker = half.program.maker.get(value)
    if names.get(value):
        return f"what {names[value]} gives"
    if maker is None:
        return "a constant"
    each = half.program.operations[maker]
    several = f"part {each.results.index(value)} of " if len(each.results) > 1 else ""
    return f"{several}what {_ordinal(half, maker)}{each.name} gives{f' at {each.place}' if each.place else ''}"


def _ordinal(half: Half, number: int) -> str:
    """Which of the operations of its name that its line asks for; "" if it is the only one."""
    each, places = half.program.operations[number], half.program.places
    alike = [n for n, o in half.operations if o.name == each.name and o.place == each.place]
    if not each.place or max((places.turn(n) for n in alike), default=0) == 0:
        return ""
    return f"the {ordinal(places.turn(number) + 1)} "


ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """A place in a row, from 1, in words."""
    ending = "th" if number % 100 in (11, 12, 13) else ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
