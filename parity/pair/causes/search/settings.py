"""Hypotheses on settings and on numbers that are written: one operation has another than it should."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from parity.interface.program import Edit, Operation, Setting, numbers_in
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece

AXES = frozenset({"dim", "axis", "axes", "dimension", "dimensions", "start_dim", "end_dim", "dim0", "dim1"})
EPSILONS = (1e-5, 1e-6, 1e-3, 1e-8, 1e-12, 1e-7, 1e-4, float(np.finfo(np.float32).eps), 0.0)
"""Epsilons that people write."""
WORDS: Mapping[str, Sequence[str]] = {
    "approximate": ("none", "tanh"),
    "mode": ("bilinear", "nearest", "nearest-exact", "bicubic", "area", "constant", "reflect", "replicate", "circular"),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
    "reduction": ("mean", "sum", "batchmean", "none"),
}
"""Setting → the words that it may be."""
SKIPPED = frozenset({"inplace", "out_dtype", "sharding", "out_sharding", "accuracy", "preferred_element_type", "dtype",
                     "dimension_numbers", "broadcast_dimensions", "shape", "new_sizes", "permutation", "unique_indices",
                     "indices_are_sorted", "is_stable", "num_keys", "precision", "feature_group_count"})  # fmt: skip
"""Settings that are no choice of the user's, or of which one alone makes no sense."""
LIKELY = frozenset(
    {"value", "approximate", "align_corners", "antialias", "count_include_pad", "ceil_mode", "dim", "bias"}
)
"""Settings of which each value but one is likely."""
FEW = 12
"""Numbers of the other side that are tried for one setting."""
NUMBERS = ("number", "argument", "other")
"""What the names of settings begin with that are operands."""
NEAR = 8
"""Operations between two whose numbers belong together."""
Told = tuple[Any, Any]


def changed_settings(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One setting of one operation, or of all that the same line asks for, is another one."""
    half, pool, own = piece.half(side), pool_of(piece.half(other(side))), pool_of(piece.half(side))
    for numbers, each in groups(half):
        for name, value in each.settings.items():
            if name in SKIPPED:
                continue
            for wanted in candidates(name, value, pool, own, _axes(half, each)):
                known = any(type(wanted) is type(n) and _equal(wanted, n) for n in pool) or name in LIKELY
                yield _hypothesis(side, numbers, each, name, (value, wanted), known)


def two_settings(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Two numbers that belong together are others: those that are equal, or two of one line's neighbourhood that are
    each another of the other side's."""
    written = [
        (numbers, each, name, value)
        for numbers, each in groups(piece.half(side))
        for name, value in each.settings.items()
        if name not in SKIPPED and name not in AXES and list(numbers_in(value))
    ]
    pool = [n for n in pool_of(piece.half(other(side))) if not isinstance(n, tuple)][:FEW]
    own = [n for n in pool_of(piece.half(side)) if not isinstance(n, tuple)][:FEW]
    every = [(a, b) for place, a in enumerate(written) for b in written[place + 1 :]]
    for first, second in every:
        yield from _both(side, first, second, _equal_or_moved(first, second, pool, own))
    for first, second in every:
        if abs(first[0][0] - second[0][0]) <= NEAR:
            yield from _both(side, first, second, [(a, b) for a in pool for b in pool if a != b])


def _equal_or_moved(first: Any, second: Any, pool: Sequence[Any], own: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Numbers for two settings: one number for both if both have one now, and both a step further."""
    one, two = _single(first[3]), _single(second[3])
    pairs = [(new, new) for new in (*pool, *(one + n for n in own))] if one is not None and one == two else []
    if one is not None and two is not None:
        pairs += [(one + step, two + step) for step in (1, -1)]
    return pairs


def _both(side: str, first: Any, second: Any, pairs: Sequence[tuple[Any, Any]]) -> Iterator[Hypothesis]:
    (numbers, each, name, value), (others, another, its, held) = first, second
    for new, newer in pairs:
        a, b = _put(value, new), _put(held, newer)
        if a is None or b is None or (a == value and b == held) or a == value or b == held:
            continue
        edits = [*(Setting(n, name, a) for n in numbers), *(Setting(n, its, b) for n in others)]
        text = (
            f"{NAMES[side]}'s {_what(each, name)} is {told(value)} and its {_what(another, its)}"
            f"{_at(another, each)} is {told(held)}; with {told(a)} and {told(b)} it is {NAMES[other(side)]}'s"
        )
        yield Hypothesis(side, text, f"write {told(a)} and {told(b)} in {NAMES[side]}", always(*edits), numbers[0])


def _at(another: Operation, each: Operation) -> str:
    return f" ({another.place})" if another.place and another.place != each.place else ""


def _single(value: Any) -> Any:
    found = list(numbers_in(_flat_slices(value)))
    return found[0] if len(found) == 1 else None


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


def groups(half: Half) -> Iterator[tuple[list[int], Operation]]:
    """The operations of a piece, those that the same line asks for in the same way together; then such ones alone."""
    inside, seen = set(half.numbers), set[int]()
    for number, each in half.operations:
        if number not in seen:
            alike = [n for n in half.program.alike(number) if n in inside]
            seen.update(alike)
            yield alike, each
            if len(alike) > 1:
                yield from (([n], half.program.operations[n]) for n in alike)


def pool_of(half: Half) -> list[Any]:
    """The numbers, and tuples of numbers, that are written in a side's piece."""
    found: dict[Any, None] = {}
    for _, each in half.operations:
        for name, value in each.settings.items():
            if name in SKIPPED or isinstance(value, bool | str) or value is None:
                continue
            if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
                found[value] = None
            found |= dict.fromkeys(numbers_in(value))
    for value in half.entering:
        kind, _ = half.program.given.get(value, ("", ""))
        array = half.values[value]
        if kind == "constant" and array.size == 1 and array.dtype.kind in "fiu":
            found[array.item()] = None
    return list(found)


def _axes(half: Half, each: Operation) -> int:
    return max((half.values[v].ndim for v in each.operands if v in half.values), default=0)


def candidates(name: str, value: Any, pool: Sequence[Any], own: Sequence[Any] = (), axes: int = 0) -> Iterator[Any]:
    """What a setting may be instead, without what it is.

    Args:
        name, value: the setting.
        pool: the numbers that are written on the other side.
        own: those of its own side, a sum with one of which it may be.
        axes: the axes of what the operation takes.
    """
    seen = [value]
    for wanted in _candidates(name, value, pool, own, axes):
        if not any(type(wanted) is type(s) and _equal(wanted, s) for s in seen):
            seen.append(wanted)
            yield wanted


def _equal(a: Any, b: Any) -> bool:
    return bool(a == b)


def _candidates(name: str, value: Any, pool: Sequence[Any], own: Sequence[Any], axes: int) -> Iterator[Any]:
    own = [n for n in own if not isinstance(n, tuple)]
    numbers = [n for n in pool if not isinstance(n, tuple)]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield from WORDS.get(name, ())
    elif value is None:
        yield from _of_none(name, numbers)
    elif name in AXES:
        yield from _of_axis(value, axes)
    elif isinstance(value, int):
        yield from (n for n in numbers if isinstance(n, int))
        yield from (value + 1, value - 1, 2 * value, value // 2, *(value + n for n in own if isinstance(n, int)))
    elif isinstance(value, float):
        yield from map(float, numbers)
        yield from (value + n for n in (1, -1, *own))
        yield from EPSILONS if "eps" in name else (0.0, 1.0, -value, 1 - value, 0.5, 2.0, np.inf, -np.inf)
    elif isinstance(value, tuple):
        yield from _of_tuple(value, pool)
    elif isinstance(value, slice):
        yield from _of_slice(value)


def _of_none(name: str, numbers: Sequence[float]) -> Iterator[Any]:
    if "eps" in name:
        yield from EPSILONS
    elif name == "value":
        yield from (-np.inf, np.inf, 1.0)
    elif name == "scale":
        yield from (1.0, *numbers)


def _of_axis(value: Any, axes: int) -> Iterator[Any]:
    if isinstance(value, int):
        yield from range(-axes, 0) if value < 0 else range(axes)
    elif isinstance(value, tuple) and len(value) == 1:
        yield from ((axis,) for axis in range(axes))


def _of_tuple(value: tuple[Any, ...], pool: Sequence[Any]) -> Iterator[Any]:
    if all(isinstance(v, int) for v in value):
        yield from (p for p in pool if isinstance(p, tuple) and len(p) == len(value))
        yield value[::-1]
        for step in (1, -1):
            yield tuple(v + step for v in value)
        yield from ((n,) * len(value) for n in pool if isinstance(n, int))
    elif all(isinstance(v, tuple) and len(v) == 2 for v in value):
        for n in (n for n in pool if isinstance(n, int)):
            yield ((n, n),) * len(value)
        for step in (1, -1):
            yield tuple((a + step, b - step) for a, b in value)
        yield tuple(v[::-1] for v in value)
        for step in (1, -1):
            yield tuple((a, b + step) for a, b in value)
            yield tuple((a + step, b) for a, b in value)
            yield tuple((a + step, b + step) for a, b in value)
    else:
        yield from _one_changed(value)


def _one_changed(value: tuple[Any, ...]) -> Iterator[Any]:
    """An index with one of its parts moved by one."""
    for place, part in enumerate(value):
        others: Iterable[Any] = ()
        if isinstance(part, slice):
            others = _of_slice(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            others = (part + 1, part - 1)
        for other_part in others:
            yield (*value[:place], other_part, *value[place + 1 :])


def _of_slice(value: slice) -> Iterator[slice]:
    for step in (1, -1):
        if isinstance(value.start, int):
            yield slice(value.start + step, value.stop, value.step)
        if isinstance(value.stop, int):
            yield slice(value.start, value.stop + step, value.step)
        if isinstance(value.start, int) and isinstance(value.stop, int):
            yield slice(value.start + step, value.stop + step, value.step)


def _hypothesis(side: str, numbers: Sequence[int], each: Operation, name: str, values: Told, known: bool) -> Hypothesis:
    value, wanted = values
    edits: list[Edit] = [Setting(number, name, wanted) for number in numbers]
    text = f"{NAMES[side]}'s {_what(each, name)} is {told(value)}; with {told(wanted)} it is {NAMES[other(side)]}'s"
    likely = 0 if known else 1
    return Hypothesis(side, text, _mend(side, each, name, wanted), always(*edits), numbers[0], likely=likely)


def _mend(side: str, each: Operation, name: str, wanted: Any) -> str:
    place = f" at {each.place}" if each.place else ""
    if name.startswith(NUMBERS) or " " in name:
        return f"write {told(wanted)} in {NAMES[side]}{place}"
    return f"write {name}={told(wanted)} in {NAMES[side]}{place}"


def _what(each: Operation, name: str) -> str:
    return f"number in {each.name}" if name.startswith(NUMBERS) else f"{each.name}'s {name}"


def told(value: Any) -> str:
    """A setting for people."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, slice):
        return ":".join(
            "" if part is None else str(part)
            for part in (value.start, value.stop, value.step)[: 3 if value.step else 2]
        )
    if isinstance(value, tuple | list):
        inside = ", ".join("…" if v is Ellipsis else told(v) for v in value)
        return f"({inside}{',' if len(value) == 1 else ''})"
    return repr(value)
