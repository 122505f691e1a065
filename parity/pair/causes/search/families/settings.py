"""Hypotheses on settings and on numbers that are written: one operation has another than it should."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Edit, Operation, Setting, numbers_in
from parity.pair.causes.search.effort import cost_of, spend
from parity.pair.causes.search.families.candidates import AXES, LIKELY, candidates, equal
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece
from parity.pair.causes.search.written import FIXED, NUMBERS, SKIPPED, groups, pool_of, text_of, what

FEW = 12
"""Numbers of the other side that are tried for one setting."""
NEAR = 8
"""Operations between two whose numbers belong together."""
SWAPPED = frozenset({"dim0", "dim1"})
"""The two settings of an operation that swaps axes, and does nothing where they are one."""
EQUALITY = frozenset({"eq", "ne"})
"""Comparisons of which another number is the less likely cause: of zeros and ones it is another sense."""
FRACTION = 1e-7
"""How near to a fraction a number is that is written in float32."""
WITHOUT_CORNERS = frozenset({"nearest", "nearest-exact", "area"})
"""Modes of PyTorch's interpolate that take no align_corners."""
FIRST_STEP, MOST_STEPS = 1.01, 8
"""The first number that is tried for one that is looked for by its effect, as a factor, and how many are tried."""
ValueAndWanted = tuple[Any, Any]


def changed_settings(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One setting of one operation, or of all that the same line asks for, is another one."""
    half, pool, offsets = piece.half(side), pool_of(piece.half(other(side))), pool_of(piece.half(side))
    for numbers, each in groups(half):
        for name, value in sorted(each.settings.items(), key=lambda item: item[0] not in LIKELY):
            if name in SKIPPED:
                continue
            for wanted in candidates(name, value, pool, offsets, _axes(half, each)):
                if _leaves_out(half, each, wanted):
                    continue
                likely = name in LIKELY or isinstance(wanted, str | bool)
                known = likely or any(type(wanted) is type(n) and equal(wanted, n) for n in pool)
                yield _hypothesis(side, numbers, each, name, (value, wanted), known and each.name not in EQUALITY)


def _leaves_out(half: Half, each: Operation, wanted: Any) -> bool:
    """Whether a number is a place before the start of an array, where JAX's operations that write leave out what they
    should write: that is no other place."""
    if each.name != "broadcast_in_dim" or not isinstance(wanted, int) or wanted >= 0:
        return False
    takers = {other.name for _, other in half.operations if set(other.operands) & set(each.results)}
    return bool(takers) and all(name.startswith("scatter") for name in takers)


def settings_everywhere(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """The same setting of several operations, which several lines ask for, is another one in all of them."""
    half, pool, offsets = piece.half(side), pool_of(piece.half(other(side))), pool_of(piece.half(side))
    alike: dict[tuple[str, str], list[int]] = {}
    for number, each in half.operations:
        for name, value in each.settings.items():
            if name not in SKIPPED and each.name not in FIXED and not isinstance(value, bool) and value is not None:
                alike.setdefault((name, repr(value)), []).append(number)
    for (name, _), numbers in alike.items():
        operations = [half.program.operations[number] for number in numbers]
        if len({each.place for each in operations}) < 2:
            continue
        value, axes = operations[0].settings[name], max(_axes(half, each) for each in operations)
        for wanted in candidates(name, value, pool, offsets, axes):
            edits: list[Edit] = [Setting(number, name, wanted) for number in numbers]
            does = " and ".join(f"{what(each, name)} ({each.place})" for each in operations[:2])
            text = (
                f"{NAMES[side]}'s {does} are {text_of(value)}; with {text_of(wanted)} they are {NAMES[other(side)]}'s"
            )
            yield Hypothesis(side, text, _mend(side, operations[0], name, wanted), always(*edits), numbers[0])


def two_settings(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Two numbers that belong together are others: those that are equal, or two of one line's neighbourhood that are
    each another of the other side's."""
    written = [
        (numbers, each, name, value)
        for numbers, each in groups(piece.half(side))
        for name, value in each.settings.items()
        if name not in SKIPPED and name not in AXES and list(numbers_in(_flat_slices(value)))
    ]
    pool = [n for n in pool_of(piece.half(other(side))) if not isinstance(n, tuple)][:FEW]
    offsets = [n for n in pool_of(piece.half(side)) if not isinstance(n, tuple)][:FEW]
    every = [(a, b) for place, a in enumerate(written) for b in written[place + 1 :]]
    for first, second in every:
        yield from _both(side, first, second, _equal_or_moved(first, second, pool, offsets))
    for first, second in every:
        if abs(first[0][0] - second[0][0]) <= NEAR:
            yield from _both(side, first, second, [(a, b) for a in pool for b in pool if a != b])


def _equal_or_moved(first: Any, second: Any, pool: Sequence[Any], offsets: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Numbers for two settings: one number for both if both have one now, and both a step further."""
    left, right = _single(first[3]), _single(second[3])
    pairs = [(new, new) for new in (*pool, *(left + n for n in offsets))] if left is not None and left == right else []
    if left is not None and right is not None:
        pairs += [(left + step, right + step) for step in (1, -1)]
    return pairs


def _both(side: str, first: Any, second: Any, pairs: Sequence[tuple[Any, Any]]) -> Iterator[Hypothesis]:
    (numbers, each, name, value), (others, another, its, held) = first, second
    for new, newer in pairs:
        a, b = _put(value, new), _put(held, newer)
        if a is None or b is None or (a == value and b == held) or a == value or b == held:
            continue
        edits = [*(Setting(n, name, a) for n in numbers), *(Setting(n, its, b) for n in others)]
        text = (
            f"{NAMES[side]}'s {what(each, name)} is {text_of(value)} and its {what(another, its)}"
            f"{_at(another, each)} is {text_of(held)}; with {text_of(a)} and {text_of(b)} it is {NAMES[other(side)]}'s"
        )
        yield Hypothesis(
            side, text, f"write {text_of(a)} and {text_of(b)} in {NAMES[side]}", always(*edits), numbers[0]
        )


def fitted_setting(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """A number of an operation is another one, which neither side writes: it is found by its effect on the target."""
    half = piece.half(side)
    for numbers, each in groups(half):
        for name, value in each.settings.items():
            if name in SKIPPED or not isinstance(value, float) or not np.isfinite(value):
                continue
            wanted = _fitted(partial(_missed, piece, side, numbers, name), value)
            if wanted is not None and wanted != value:
                yield _hypothesis(side, numbers, each, name, (value, wanted), known=False)


def _missed(piece: Piece, side: str, numbers: Sequence[int], name: str, value: float) -> NDArray | None:
    """What the sides are apart at the target, number by number, with another setting; None where it is none, or no work
    is left."""
    half = piece.half(side)
    array = half.with_edits([Setting(number, name, value) for number in numbers]) if spend(cost_of(half)) else None
    return None if array is None else piece.apart_with(side, array)


def _fitted(missed: Callable[[float], NDArray | None], value: float) -> float | None:
    """The number with which nothing is missed, by the secant method; None where it does not come near to one."""
    points, first = (value, value * FIRST_STEP or FIRST_STEP - 1), missed(value)
    if first is None or not np.isfinite(first).all():
        return None
    before = first.ravel()
    for _ in range(MOST_STEPS):
        after = missed(points[1])
        if after is None or after.size != before.size or not np.isfinite(after).all():
            return None
        after = after.ravel()
        moved = after - before
        if not (size := float(moved @ moved)):
            break
        step = -float(after @ moved) / size * (points[1] - points[0])
        points, before = (points[1], points[1] + step), after
    near = float(np.linalg.norm(before)) <= AGREED * float(np.linalg.norm(first))
    return _shortest(points[1]) if near and np.isfinite(points[1]) else None


def _shortest(number: float) -> float:
    """The number of fewest digits that is as good as this one."""
    texts = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return next((text for text in texts if isclose(text, number, rel_tol=AGREED)), number)


def _at(another: Operation, each: Operation) -> str:
    return f" ({another.place})" if another.place and another.place != each.place else ""


def _single(value: Any) -> Any:
    numbers = list(numbers_in(_flat_slices(value)))
    return numbers[0] if len(numbers) == 1 else None


def _flat_slices(value: Any) -> Any:
    if isinstance(value, slice):
        return (value.start, value.stop, value.step)
    return tuple(map(_flat_slices, value)) if isinstance(value, tuple | list) else value


def _put(value: Any, number: float) -> Any:
    """The value with its only number replaced; None if it has none, or several."""
    if isinstance(value, bool) or _single(value) is None:
        return None
    if isinstance(value, slice):
        parts = (_put(part, number) if part is not None else None for part in (value.start, value.stop, value.step))
        return slice(*parts)
    if isinstance(value, tuple | list):
        return type(value)(_put(item, number) if _single(item) is not None else item for item in value)
    if isinstance(value, int) and not float(number).is_integer():
        return None
    return type(value)(number)


def _axes(half: Half, each: Operation) -> int:
    return max((half.values[v].ndim for v in each.operands if v in half.values), default=0)


def _hypothesis(
    side: str, numbers: Sequence[int], each: Operation, name: str, values: ValueAndWanted, known: bool
) -> Hypothesis:
    value, wanted = values
    edits: list[Edit] = [Setting(number, name, wanted) for number in numbers]
    edits += [Setting(number, *other_one) for number in numbers for other_one in _that_go_with(each, name, wanted)]
    text = (
        f"{NAMES[side]}'s {what(each, name)} is {_with_fraction(value, wanted)}; with {_with_fraction(wanted, value)} "
        f"it is {NAMES[other(side)]}'s"
    )
    mend = _mend(side, each, name, wanted)
    if each.name == "stack" and name in AXES:
        text += ": one lays the parts one after the other, the other interleaves them"
    if name in SWAPPED and wanted in (each.settings.get(axis) for axis in SWAPPED - {name}):
        text = f"{NAMES[side]} swaps axes {text_of(value)} and {text_of(wanted)}, and {NAMES[other(side)]} does not"
        mend = f"leave {each.name} out in {NAMES[side]}, or add it in {NAMES[other(side)]}"
    likely = 0 if known else 1
    return Hypothesis(side, text, mend, always(*edits), numbers[0], likely=likely)


def _with_fraction(value: Any, beside: Any) -> str:
    """A setting in words; a factor that is n/(n - 1) where there is none on the other side, as of a variance that is
    divided by n - 1, with that fraction too."""
    numbers = isinstance(value, float) and isinstance(beside, float) and not isinstance(value, bool)
    if numbers and beside == 1.0 and 1.0 < value < 2.0:
        n = round(value / (value - 1))
        if isclose(value, n / (n - 1), rel_tol=FRACTION):
            return f"{text_of(value)} ({n}/{n - 1})"
    return text_of(value)


def _that_go_with(each: Operation, name: str, wanted: Any) -> Iterator[tuple[str, Any]]:
    """Settings that have to change too, as PyTorch refuses them beside the new one."""
    if name == "mode" and wanted in WITHOUT_CORNERS and each.settings.get("align_corners") is not None:
        yield "align_corners", None


def _mend(side: str, each: Operation, name: str, wanted: Any) -> str:
    place = f" at {each.place}" if each.place else ""
    if name.startswith(NUMBERS) or " " in name:
        return f"write {text_of(wanted)} in {NAMES[side]}{place}"
    return f"write {name}={text_of(wanted)} in {NAMES[side]}{place}"
