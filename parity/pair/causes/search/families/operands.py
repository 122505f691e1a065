"""Hypotheses on what is taken: another value in one place, two that have changed places, or another one returned."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Alias, Change, Edit, Returned, Taken
from parity.pair.causes.search.families.functions import unmoved
from parity.pair.causes.search.families.orders import names_of_calls, value_words
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup, counts
from parity.pair.causes.search.operation import fork_of
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.turns import in_all_turns, visits_inside

COMMUTATIVE = frozenset({"add", "mul", "max", "min", "maximum", "minimum", "add_any", "eq", "ne", "and", "or"})
"""Operations that give the same whichever comes first of what they take."""
PAIR = 2
"""Parts that are taken for one another rather than from the last to the first."""
NEAR = 8
"""Operations around the one at which the programs part of which it is asked whether they take another value."""


def changed_places(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Two values that an operation takes have changed places."""
    half = piece.half(side)
    for number, each in half.operations:
        if each.name in COMMUTATIVE or number != visits_inside(half, number)[0]:
            continue
        for first, second in ((a, b) for a in range(len(each.operands)) for b in range(a)):
            if fits(half, each.operands[first], each.operands[second]):
                text = f"{NAMES[side]}'s {each.name} takes its operands in another order than {NAMES[other(side)]}"
                mend = f"change the operands of {each.name} over in {NAMES[side]}"
                edits = _changed_over(half, visits_inside(half, number), (first, second))
                yield Hypothesis(side, text, mend, always(*edits), number, each.results[0])


def turned_back(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Pairs of numbers are turned the other way, as by rotary positions: of two products with the same sines, the one
    that should be added is subtracted, and the other one added."""
    half = piece.half(side)
    named = {name: [each for _, each in half.operations if each.name == name] for name in ("sub", "add")}
    for minus, plus in product(named["sub"], named["add"]):
        if half.values[minus.results[0]].shape != half.values[plus.results[0]].shape:
            continue
        for first, second in product(minus.operands[1:], plus.operands):
            if first == second or not _factors(half, first) & _factors(half, second):
                continue
            text = f"{NAMES[side]} turns pairs of numbers by the opposite angle of {NAMES[other(side)]}'s"
            mend = f"change the sign of both products with the sine in {NAMES[side]}"
            for turns in in_all_turns(half, (first, second)):
                edits = [Change(value, np.negative, ("times", "-1", "-1")) for pair in turns for value in pair]
                yield Hypothesis(side, text, mend, always(*edits), half.program.maker[first], minus.results[0])


def _factors(half: Half, value: int) -> set[int]:
    """The two values of which a product is made in the piece, whatever moves their numbers; none of what is none."""
    maker = half.program.maker.get(value)
    if maker not in half.numbers or half.program.operations[maker].name != "mul":
        return set()
    taken = half.program.operations[maker].operands
    return {unmoved(half, each) for each in taken} if len(taken) == PAIR else set()


def parts_backwards(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """The parts of what is taken apart, such as the steps of a sequence, are taken from the last to the first."""
    half = piece.half(side)
    for number, each in half.operations:
        shapes = {half.values[v].shape for v in each.results if v in half.values}
        if len(each.results) > PAIR and len(shapes) == 1:
            text = f"{NAMES[side]} takes the parts of what {each.name} gives backwards against {NAMES[other(side)]}"
            mend = f"take the parts of what {each.name} gives from the last to the first in {NAMES[side]}"
            edits = [Alias(a, b) for a, b in zip(each.results, reversed(each.results), strict=True) if a != b]
            yield Hypothesis(side, text, mend, always(*edits), number, each.results[0])


def exchanged(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Two values are taken for one another: two parts of what is split, or two of those that the piece starts from."""
    half = piece.half(side)
    names = names_of_calls(half)
    groups = [each.results for _, each in half.operations] + [tuple(half.entering)]
    for first, second in ((a, b) for group in groups for a, b in combinations(group, 2)):
        if first in half.values and second in half.values and fits(half, first, second):
            words = " and ".join(value_words(half, value, names) for value in (first, second))
            text = f"{NAMES[side]} takes {words} the other way round than {NAMES[other(side)]}"
            mend = f"take {words} the other way round in {NAMES[side]}"
            for turns in in_all_turns(half, (first, second)):
                edits = [edit for a, b in turns for edit in (Alias(a, b), Alias(b, a))]
                yield Hypothesis(side, text, mend, always(*edits), half.program.maker.get(first), first)


def _changed_over(half: Half, numbers: Sequence[int], places: tuple[int, int]) -> list[Edit]:
    operations = [(number, half.program.operations[number]) for number in numbers]
    return [
        Taken(number, place, each.operands[its]) for number, each in operations for place, its in (places, places[::-1])
    ]


def other_operand(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Where the programs part, one operation takes another value in one place, and all others what they should."""
    half, fork = piece.half(side), fork_of(piece)
    if fork is None:
        return
    theirs, names = piece.half(other(side)), names_of_calls(half)
    numbers = _near(theirs, getattr(fork, other(side)))
    taken_there = Lookup({v: theirs.values[v] for n in numbers for v in theirs.program.operations[n].operands})
    for number in _near(half, getattr(fork, side)):
        for place, value in enumerate(half.program.operations[number].operands):
            for instead in half.values:
                if fits(half, value, instead) and taken_there.has(half.values[instead]):
                    yield from _taken(half, side, (number, place, instead), names)


def operand_from_before(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Where the programs part, one operation takes another value than it should, which was made before the piece."""
    half, fork = piece.half(side), fork_of(piece)
    if fork is None:
        return
    theirs = piece.half(other(side))
    number, its = getattr(fork, side), getattr(fork, other(side))
    each = half.program.operations[number]
    mine = Lookup({v: half.values[v] for v in each.operands})
    wanted = [theirs.values[v] for v in theirs.program.operations[its].operands]
    missing = [array for array in wanted if counts(array) and not mine.has(array)]
    if not missing:
        return
    before = Lookup(_made_before(half, number))
    names = names_of_calls(half)
    for instead in (v for array in missing for v in before.find(array)):
        shape = half.program.compute([instead])[0].shape
        for place, value in enumerate(each.operands):
            if half.values[value].shape == shape:
                was, should = (value_words(half, v, names) for v in (value, instead))
                text = f"{NAMES[side]}'s {each.name} takes {was}; with {should} it is {NAMES[other(side)]}'s"
                mend = f"let {each.name} take {should} in {NAMES[side]}"
                yield Hypothesis(side, text, mend, always(Taken(number, place, instead)), number, each.results[0])


def _made_before(half: Half, number: int) -> dict[int, NDArray]:
    """The values that the whole pass has made before an operation and that the piece has not."""
    made = (v for each in half.program.operations[:number] for v in each.results)
    values = [v for v in (*made, *half.program.origins) if v not in half.values]
    arrays = ((v, half.value(v, ())) for v in values)
    return {v: array for v, array in arrays if array is not None}


def _near(half: Half, at: int) -> list[int]:
    """The operations of a piece around one of them, the nearest first."""
    return sorted((n for n in half.numbers if abs(n - at) <= NEAR), key=lambda n: abs(n - at))


def _taken(half: Half, side: str, what: tuple[int, int, int], names: dict[int, str]) -> Iterator[Hypothesis]:
    number, place, instead = what
    each = half.program.operations[number]
    was, wanted = (value_words(half, value, names) for value in (each.operands[place], instead))
    text = f"{NAMES[side]}'s {each.name} takes {was}; with {wanted} it is {NAMES[other(side)]}'s"
    mend = f"let {each.name} take {wanted} in {NAMES[side]}"
    for edits in _in_turns(half, number, place, instead):
        yield Hypothesis(side, text, mend, always(*edits), number, each.results[0])


def _in_turns(half: Half, number: int, place: int, instead: int) -> Iterator[list[Edit]]:
    """The edit in all turns of the line, each with the value of its own turn; then alone."""
    numbers, maker = visits_inside(half, number), half.program.maker.get(instead)
    if len(numbers) > 1:
        values = [instead] * len(numbers)
        if maker is not None and maker in half.numbers:
            of = half.program.operations[maker].results.index(instead)
            values = [half.program.operations[n].results[of] for n in visits_inside(half, maker)]
        if len(values) == len(numbers):
            yield [Taken(n, place, value) for n, value in zip(numbers, values, strict=True)]
    yield [Taken(number, place, instead)]


def fits(half: Half, value: int, instead: int) -> bool:
    """Whether one value may stand for another, which is not the same."""
    a, b = half.values[value], half.values[instead]
    return value != instead and a.shape == b.shape and a.dtype.kind == b.dtype.kind and not same(a, b)


def other_result(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """The network returns another of its values, which goes on inside as it should."""
    half, theirs = piece.half(side), piece.half(other(side))
    if half.target not in half.program.named.results.values():
        return
    words = {each: _result_words(of, of.target) for each, of in ((side, half), (other(side), theirs))}
    for instead in _alike(piece, side):
        wanted = value_words(half, instead, {})
        text = f"the returned array is {words[side]} in {NAMES[side]}, and {words[other(side)]} in {NAMES[other(side)]}"
        mend = f"return {wanted} in {NAMES[side]}"
        maker = half.program.maker.get(half.target)
        yield Hypothesis(side, text, mend, always(Returned(half.target, instead)), maker, half.target, exact=True)


def _result_words(half: Half, value: int) -> str:
    """What is returned, by the operation that gives it."""
    maker = half.program.maker.get(value)
    in_place = maker is not None and half.program.operations[maker].in_place
    return value_words(half, value, {}) + (", an array that it changes in place," if in_place else "")


def _alike(piece: Piece, side: str) -> Iterator[int]:
    """The values of the whole pass that are what the other side returns, those first that are made near the target."""
    half = piece.half(side)
    size, at = half.values[half.target].size, half.program.maker.get(half.target, 0)
    values = [value for each in half.program.operations for value in each.results if value != half.target]
    for value in sorted(values, key=lambda v: abs(half.program.maker[v] - at)):
        array = _sized(half, value, size)
        if array is not None and piece.gap_to(side, array) <= AGREED:
            yield value


def _sized(half: Half, value: int, size: int) -> NDArray | None:
    """A value of the pass if it has so many numbers."""
    array = half.values[value] if value in half.values else half.value(value, ())
    return array if array is not None and array.size == size else None
