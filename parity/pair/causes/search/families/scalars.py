"""Hypotheses on single numbers that are computed, such as what a loss is divided by, and on masks."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Change, Edit, Operation, Setting
from parity.interface.programs.undone import source
from parity.pair.causes.known_functions import related
from parity.pair.causes.search.families.candidates import LARGEST_COUNT
from parity.pair.causes.search.families.functions import VERBS, named, unmoved
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.written import NUMBERS, groups, pool_of, text_of

MOST_TABLES = 3
"""Constant arrays of a piece that are tried all at once."""
FEW = 12
"""Numbers of the other side that are tried in one place."""


def other_number(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """A number that is written, or computed, is one that the other side computes, or writes."""
    half, theirs = piece.half(side), piece.half(other(side))
    computed = [v for v in theirs.made if _is_number(theirs.values[v]) and _is_sound(piece, side, v)][:FEW]
    written = [n for n in pool_of(theirs) if isinstance(n, int | float)][:FEW]
    for numbers, each in groups(half):
        for name, value in each.settings.items():
            if name.startswith(NUMBERS) and isinstance(value, int | float) and not isinstance(value, bool):
                for their in computed:
                    if isinstance(value, int) and not _is_count(theirs.values[their]):
                        continue
                    text = _differs(side, f"{text_of(value)} in {each.name}", _of(theirs, their))
                    yield Hypothesis(
                        side, text, f"take {_of(theirs, their)} in {NAMES[side]}",
                        _set(side, numbers, name, their), numbers[0],
                    )  # fmt: skip
    for value in (v for v in half.made if _is_number(half.values[v])):
        maker = half.program.maker[value]
        for number in written:
            text = _differs(side, _used(half, value), text_of(number))
            means = ("number", source(number))
            change = Change(value, lambda a, number=number: np.full_like(a, number), means)  # type: ignore[misc]
            yield Hypothesis(side, text, f"take {text_of(number)} in {NAMES[side]}", always(change), maker, value)
        for their in computed:
            text = _differs(side, _used(half, value), _of(theirs, their))
            mend = f"take {_of(theirs, their)} in {NAMES[side]}"
            if not same(theirs.values[their], half.values[value]) and value != half.target:
                yield Hypothesis(side, text, mend, _taken(side, value, their), maker, value)


def other_count(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side divides by the length of an axis where the other divides by how many of its places are there."""
    half, theirs = piece.half(side), piece.half(other(side))
    lengths = dict.fromkeys(n for array in half.values.values() for n in array.shape if n > 1)
    counts = dict.fromkeys(each.operands[1] for _, each in theirs.operations if _divides(theirs, each))
    for value in (v for v in half.made if half.values[v].dtype.kind == "f"):
        for their in (v for v in counts if _fits_count(half.values[value], theirs.values[v])):
            for length in lengths:
                here, by = f"{length}, the length of an axis", f"a count, {named(theirs, their)}"
                text = f"{NAMES[side]} divides by {here}, and {NAMES[other(side)]} by {by}"
                mend = f"divide by that count in {NAMES[side]}"
                edits = _by_count(side, (value, their), length)
                yield Hypothesis(side, text, mend, edits, half.program.maker[value], value)


def _divides(half: Half, each: Operation) -> bool:
    """Whether an operation divides by counts, of which there are several."""
    if each.name != "div" or len(each.operands) != 2:
        return False
    counts = half.values[each.operands[1]]
    return counts.size > 1 and bool(np.array_equal(counts, np.round(counts)) and (counts > 0).all())


def _fits_count(array: NDArray, counts: NDArray) -> bool:
    return array.ndim == counts.ndim and all(c in (1, n) for n, c in zip(array.shape, counts.shape, strict=True))


def _by_count(side: str, values: tuple[int, int], length: int) -> Callable[[Piece], Sequence[Edit]]:
    value, their = values

    def edits(piece: Piece) -> Sequence[Edit]:
        counts = piece.half(other(side)).values[their]
        return [Change(value, lambda a: a * length / counts)]

    return edits


def _differs(side: str, has: str, should: str) -> str:
    return f"{NAMES[side]} takes {has} where {NAMES[other(side)]} takes {should}"


def _used(half: Half, value: int) -> str:
    """A value, and what takes it."""
    user = next((each for _, each in half.operations if value in each.operands), None)
    verb = VERBS.get(user.name, f"takes in {user.name}") if user is not None and user.operands[-1] == value else ""
    return (
        f"{named(half, value)}, by which it {verb.removesuffix(' by')}," if verb.endswith(" by") else named(half, value)
    )


def _of(half: Half, value: int) -> str:
    return f"{named(half, value)} ({text_of(half.values[value].item())})"


def _is_number(array: NDArray) -> bool:
    return array.size == 1 and array.dtype.kind in "fiu"


def _is_count(array: NDArray) -> bool:
    """Whether a number may stand where a count does."""
    number = float(array.item())
    return number.is_integer() and abs(number) <= LARGEST_COUNT


def _is_sound(piece: Piece, side: str, their: int) -> bool:
    """Whether a number of the other side is none that the difference has spoilt: a count, or one that this side has."""
    array = piece.half(other(side)).values[their]
    arrays = piece.half(side).values.values()
    return float(array.item()).is_integer() or any(_is_number(a) and same(array.ravel(), a.ravel()) for a in arrays)


def _set(side: str, numbers: Sequence[int], name: str, their: int) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        value = piece.half(other(side)).values[their].item()
        return [Setting(number, name, value) for number in numbers]

    return edits


def _taken(side: str, value: int, their: int) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        number = piece.half(other(side)).values[their].item()
        return [Change(value, lambda a: np.full_like(a, number), ("number", source(number)))]

    return edits


MASKS: dict[str, tuple[Callable[[NDArray], NDArray], tuple[str, ...]]] = {
    "keeps what the other leaves out, and the other way round": (np.logical_not, ("not",)),
    "masks something out and {} nothing": (np.ones_like, ("ones",)),
    "masks nothing out and {} all": (np.zeros_like, ("zeros",)),
    "masks one place later than {}": (lambda a: np.roll(a, -1, -1), ("roll", "-1", "-1")),
    "masks one place earlier than {}": (lambda a: np.roll(a, 1, -1), ("roll", "1", "-1")),
}
"""How a mask may differ → what makes it the other side's, and what that does."""


def other_mask(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """A mask has another sense, another place, or is on one side only."""
    half = piece.half(side)
    for value in [*half.made, *half.entering]:
        if half.values[value].dtype.kind == "b" and half.values[value].size > 1:
            for words, (function, means) in MASKS.items():
                text = f"{NAMES[side]}'s mask, {named(half, value)}, {words.format(NAMES[other(side)])}"
                mend = f"mask alike in both; {NAMES[side]}'s mask is {named(half, value)}"
                edit = Change(value, function, means)
                yield Hypothesis(side, text, mend, always(edit), half.program.maker.get(value), value)


def other_constant(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An array that is written, such as a table of positions, holds other numbers than the other side's."""
    half, theirs = piece.half(side), piece.half(other(side))
    for value in _constants(half, theirs):
        for their in _constants(theirs, half):
            array, wanted = half.values[value], theirs.values[their]
            if array.shape != wanted.shape or array.dtype.kind != wanted.dtype.kind or same(array, wanted):
                continue
            pair = (wanted, array) if side == "torch" else (array, wanted)
            how = related(*pair) if array.dtype.kind == "f" else ""
            text = f"a constant array of {NAMES[side]}'s is another than {NAMES[other(side)]}'s"
            text += f": {how}" if how else ""
            mend = f"write {NAMES[other(side)]}'s array in {NAMES[side]}"
            yield Hypothesis(side, text, mend, _exchanged(side, value, their), _first_taker(half, value), value)


def other_constants(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """All arrays that are written hold other numbers than the other side's: sines and cosines of other angles."""
    half, their_half = piece.half(side), piece.half(other(side))
    ours, theirs = _constants(half, their_half), _constants(their_half, half)
    if not 1 < len(ours) == len(theirs) <= MOST_TABLES:
        return
    for order in permutations(theirs):
        pairs = list(zip(ours, order, strict=True))
        arrays = [(half.values[v], their_half.values[u]) for v, u in pairs]
        if all(a.shape == b.shape and a.dtype.kind == b.dtype.kind for a, b in arrays):
            text = f"{len(ours)} constant arrays of {NAMES[side]}'s are others than {NAMES[other(side)]}'s"
            mend = f"write {NAMES[other(side)]}'s arrays in {NAMES[side]}"
            edits = [_exchanged(side, v, u) for v, u in pairs]
            every = partial(_all_of, edits=edits)
            yield Hypothesis(side, text, mend, every, _first_taker(half, ours[0]), ours[0])


def _all_of(piece: Piece, edits: Sequence[Callable[[Piece], Sequence[Edit]]]) -> Sequence[Edit]:
    return [edit for make in edits for edit in make(piece)]


def _constants(half: Half, theirs: Half) -> list[int]:
    """The arrays that are written in a side's source, are held as buffers, or are computed of such alone, and that the
    other side has not."""
    kinds, lookup = half.program.origins, Lookup(theirs.values)
    held = [v for v in half.entering if kinds.get(v, ("", ""))[0] in ("constant", "array")]
    tables = [v for v in (*held, *_computed_tables(half)) if half.values[v].size > 1]
    return [v for v in tables if not lookup.has(half.values[v])]


def _computed_tables(half: Half) -> list[int]:
    """The values that are made of nothing that is fed or learnt, where they meet what is."""
    constant = {v for v in half.entering if half.program.origins.get(v, ("", ""))[0] == "constant"}
    tables: dict[int, None] = {}
    for _, each in half.operations:
        if all(v in constant for v in each.operands):
            constant |= set(each.results)
        else:
            tables |= dict.fromkeys(unmoved(half, v) for v in each.operands if v in constant and v in half.made)
    return [value for value in tables if value in half.made]


def _first_taker(half: Half, value: int) -> int | None:
    return next((number for number, each in half.operations if value in each.operands), None)


def _exchanged(side: str, value: int, their: int) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        array = piece.half(other(side)).values[their]
        return [Change(value, lambda _: array)]

    return edits
