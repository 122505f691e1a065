"""What a setting may be instead of what it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

AXES = frozenset({"dim", "axis", "axes", "dimension", "dimensions", "start_dim", "end_dim", "dim0", "dim1"})
EPSILONS = (0.0, 1e-5, 1e-6, 1e-3, 1e-8, 1e-12, 1e-7, 1e-4, float(np.finfo(np.float32).eps))
"""Epsilons that people write."""
WORDS: Mapping[str, Sequence[str]] = {
    "approximate": ("none", "tanh"),
    "mode": ("bilinear", "nearest", "nearest-exact", "bicubic", "area", "constant", "reflect", "replicate", "circular"),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
    "reduction": ("mean", "sum", "batchmean", "none"),
}
"""Setting → the words that it may be."""
LIKELY = frozenset(
    {"value", "approximate", "align_corners", "antialias", "count_include_pad", "ceil_mode", "dim", "bias"}
)
"""Settings of which each value but one is likely."""


DIVIDES = ("head", "group")
"""Words in the names of settings that say into how many parts something is divided."""
PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
"""Parts that people divide into."""


NUMBERS = ("number", "argument", "other")
"""What the names of settings begin with that are operands."""
BOUNDS = frozenset({"value", "fill_value", "min", "max", "min_val", "max_val", "threshold"})
"""Settings by name that may be infinite, as operands may."""
LARGEST_COUNT = 4096
"""Larger whole numbers are no counts of anything, and would only make arrays too large to hold."""


def candidates(name: str, value: Any, pool: Sequence[Any], offsets: Sequence[Any] = (), axes: int = 0) -> Iterator[Any]:
    """What a setting may be instead, without what it is.

    Args:
        name, value: the setting.
        pool: the numbers that are written on the other side.
        offsets: the numbers that are written on its own side, a sum with one of which it may be.
        axes: the axes of what the operation takes.
    """
    seen = [value]
    for wanted in _candidates(name, value, pool, offsets, axes):
        if not any(type(wanted) is type(s) and equal(wanted, s) for s in seen):
            seen.append(wanted)
            yield wanted


def equal(a: Any, b: Any) -> bool:
    """Whether two settings are one."""
    return bool(a == b)


def _candidates(name: str, value: Any, pool: Sequence[Any], offsets: Sequence[Any], axes: int) -> Iterator[Any]:
    offsets = [n for n in offsets if not isinstance(n, tuple)]
    numbers = [n for n in pool if not isinstance(n, tuple)]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield from WORDS.get(name, ())
    elif value is None:
        yield from _of_none(name, numbers)
    elif name in AXES:
        yield from _of_axis(value, axes, pool)
    elif isinstance(value, int):
        yield from PARTS if any(word in name for word in DIVIDES) else ()
        near = (value + 1, value - 1, 2 * value, value // 2, *(value + n for n in offsets if isinstance(n, int)))
        whole = (n for n in (*numbers, *near) if isinstance(n, int))
        yield from (n for n in whole if abs(n) <= max(LARGEST_COUNT, 4 * abs(value)))
        if name.startswith(NUMBERS):
            yield from _related(float(value), numbers)
    elif isinstance(value, float):
        bounds = name.startswith(NUMBERS) or name in BOUNDS or np.isinf(value)
        yield from (float(n) for n in numbers if bounds or np.isfinite(n))
        yield from (value + n for n in (1, -1, *offsets))
        if name.startswith(NUMBERS):
            yield from _related(value, numbers)
        else:  # a share, of which the other side writes the rest
            yield from (float(f"{1 - n:.12g}") for n in numbers if 0 < n < 1)
        yield from EPSILONS if "eps" in name else (0.0, 1.0, -value, 1 - value, 0.5, 2.0)
        yield from (np.inf, -np.inf) if bounds else ()
    elif isinstance(value, tuple):
        yield from _of_tuple(value, pool)
    elif isinstance(value, slice):
        yield from _of_slice(value)


def _related(value: float, numbers: Sequence[float]) -> Iterator[float]:
    """Numbers that people take for one another where they multiply or divide: reciprocals, roots and squares."""
    yield from (1.0 / n for n in numbers if n)
    if value > 0:
        yield from (value**0.5, value**2, 1.0 / value)


def _of_none(name: str, numbers: Sequence[float]) -> Iterator[Any]:
    if "eps" in name:
        yield from EPSILONS
    elif name == "value":
        yield from (-np.inf, np.inf, 1.0)
    elif name == "scale":
        yield from (1.0, *numbers)


def _of_axis(value: Any, axes: int, pool: Sequence[Any]) -> Iterator[Any]:
    if isinstance(value, int):
        yield from range(-axes, 0) if value < 0 else range(axes)
    elif isinstance(value, tuple | list):
        yield from ((axis,) for axis in range(axes) if len(value) == 1)
        yield from (p for p in pool if isinstance(p, tuple) and all(isinstance(a, int) and a < axes for a in p))
        yield from (tuple(a for a in value if a != axis) for axis in value if len(value) > 1)
        yield from ((*value, axis) for axis in range(axes) if axis not in value)


def _of_tuple(value: tuple[Any, ...], pool: Sequence[Any]) -> Iterator[Any]:
    if all(isinstance(v, int) for v in value):
        yield from (p for p in pool if isinstance(p, tuple) and len(p) == len(value))
        yield value[::-1]
        for step in (1, -1):
            yield tuple(v + step for v in value)
        yield from ((n,) * len(value) for n in pool if isinstance(n, int))
    elif all(isinstance(v, tuple) and len(v) == 2 for v in value):
        yield from _of_pairs(value)
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


def _of_pairs(value: tuple[tuple[int, int], ...]) -> Iterator[Any]:
    """Padding of some axes, (before, after) each, that lies evenly, or a step towards the beginning or the end; axes
    without padding stay as they are."""
    if all(isinstance(n, int) for pair in value for n in pair):
        yield tuple((sum(pair) // 2, sum(pair) - sum(pair) // 2) for pair in value)
        for step in (1, -1):
            yield tuple((a + step, b - step) if a or b else (a, b) for a, b in value)


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
