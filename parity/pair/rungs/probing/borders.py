"""Inputs at the numbers that the networks compare with: what happens on either side of a border is tried too."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.interface.programs.operations import numbers_in
from parity.interface.programs.program import Program
from parity.interface.trace import Arrays
from parity.pair.arrays.domain import domain_of, resized
from parity.pair.arrays.inputs import arrays, with_arrays
from parity.pair.passes.sides import SidePair

COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "less", "greater", "not_equal"})
"""Operations, but for underscores, that compare numbers."""
MOST_NUMBERS = 2**16
"""Inputs of more numbers are not looked at where none is whole: the operations of a large network take memory."""
MOST_INPUTS = 8
"""So many inputs are tried for all borders together, at most."""
LIMITS = frozenset({"max", "min", "maximum", "minimum", "clip", "clamp", "clamp_min", "clamp_max", "hardtanh",
                    "convert_element_type"})  # fmt: skip
"""Operations that cut numbers off, and the one by which JAX hands a limit to a function of its own."""
FAR = 30.0
"""Limits up to this are reached by inputs that are tried anyway."""
BEYOND = 100.0
"""So many times a limit are the largest of the inputs by which it is reached."""
LARGEST = 2**24
"""Larger numbers stand for infinity."""
SHARE = 4
"""One of so many floating numbers is put at a border."""
Range = Callable[[NDArray], tuple[int, int]]
"""The first whole number that an array may hold and the one after the last."""
IsMask = Callable[[str, NDArray], bool]


@dataclass(frozen=True)
class Written:
    """The numbers that are written in both networks' operations in evaluation.

    Args:
        compared: those that either network compares with.
        limits: those beyond what is tried anyway that one network alone cuts numbers off at.
        rounds: whether either rounds to whole numbers.
    """

    compared: set[float] = field(default_factory=set)
    limits: set[float] = field(default_factory=set)
    rounds: bool = False


def written_numbers(sides: SidePair, flax: Arrays, torch: Arrays) -> Written:
    """What is written in either network in evaluation.

    Args:
        sides: The pair.
        flax, torch: Both sides' native arrays.
    """
    every = list(arrays(sides.inputs).values())
    if all(a.dtype.kind not in "iub" for a in every) and sum(a.size for a in every) > MOST_NUMBERS:
        return Written()
    try:
        programs = sides.program("flax", flax, "evaluation"), sides.program("torch", torch, "evaluation")
    except Exception:  # what cannot be recorded operation by operation shows no number
        return Written()
    compared = {number for program in programs for number in _numbers(program, COMPARISONS)}
    ours, theirs = ({number for number in _numbers(program, LIMITS) if abs(number) > FAR} for program in programs)
    rounds = any(operation.name.strip("_") == "round" for program in programs for operation in program.operations)
    return Written(compared, ours ^ theirs, rounds)


def _numbers(program: Program, names: Collection[str]) -> Iterator[float]:
    """The numbers of operations of these names, but for those that stand for infinity."""
    for operation in program.operations:
        if operation.name.strip("_") in names:
            yield from (n for n in numbers_in(list(operation.settings.values())) if abs(n) < LARGEST)


def beyond_limits(inputs: Inputs, limits: Collection[float]) -> Iterator[Inputs]:
    """Inputs that are as much larger as what the largest of some limits cuts off."""

    def larger(array: NDArray) -> NDArray:
        size = float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
        return (array * (BEYOND * max(map(abs, limits)) / size)).astype(array.dtype) if size else array

    changed = resized(inputs, larger)
    if _differ(inputs, changed):
        yield changed


def at_halves(inputs: Inputs) -> Iterator[Inputs]:
    """Inputs that are quarters, so that what is rounded lies between two whole numbers at some places."""
    changed = resized(inputs, lambda array: (np.round(array * 4) / 4).astype(array.dtype))
    if _differ(inputs, changed):
        yield changed


def at_borders(inputs: Inputs, numbers: set[float], range_of: Range, is_mask: IsMask) -> Iterator[Inputs]:
    """Inputs with the user's numbers below, at and above the borders, and with so many places open or equal.

    Args:
        inputs: The user's.
        numbers: What the networks compare with.
        range_of: What whole numbers may be.
        is_mask: Whether an array of that name is a mask.
    """
    whole = {int(number) for number in numbers if float(number).is_integer()}
    steps = sorted({step for number in whole for step in (number - 1, number, number + 1) if step >= 0})
    made = [
        *_floating(inputs, numbers),
        *_single(inputs, steps),
        *_ids(inputs, steps, range_of, is_mask),
        *_counts(inputs, steps, whole, range_of, is_mask),
    ]
    yield from made[:MOST_INPUTS]


def _floating(inputs: Inputs, numbers: set[float]) -> Iterator[Inputs]:
    """One of some floating numbers at each border that is among the user's numbers."""

    def moved(_: str, array: NDArray) -> NDArray:
        if array.dtype.kind != "f" or not array.size or domain_of(array) not in ("free", "positive"):
            return array
        inside = sorted(number for number in numbers if array.min() <= number <= array.max())
        flat = array.ravel().copy()
        for place, number in enumerate(inside):
            flat[place :: SHARE * len(inside)] = number
        return flat.reshape(array.shape)

    changed = with_arrays(inputs, moved)
    if _differ(inputs, changed):
        yield changed


def _single(inputs: Inputs, steps: Sequence[int]) -> Iterator[Inputs]:
    """A whole number that is alone, such as the step of a diffusion, at each border and beside it."""
    for step in steps:
        changed = with_arrays(inputs, lambda _, a, step=step: np.full_like(a, step) if _is_single(a) else a)  # type: ignore[misc]
        if _differ(inputs, changed):
            yield changed


def _is_single(array: NDArray) -> bool:
    return array.dtype.kind in "iu" and array.size == 1


def _ids(inputs: Inputs, steps: Sequence[int], range_of: Range, is_mask: IsMask) -> Iterator[Inputs]:
    """Whole numbers that are the borders and their neighbours in turn, as far as they may be."""

    def moved(name: str, array: NDArray) -> NDArray:
        if array.dtype.kind not in "iu" or array.size < 2 or is_mask(name, array):
            return array
        first, end = range_of(array)
        inside = [step for step in steps if first <= step < end]
        return np.resize(np.array(inside, array.dtype), array.shape) if inside else array

    changed = with_arrays(inputs, moved)
    if _differ(inputs, changed):
        yield changed


def _counts(
    inputs: Inputs, steps: Sequence[int], whole: set[int], range_of: Range, is_mask: IsMask
) -> Iterator[Inputs]:
    """So many places of the first sample open in a mask, all of the others' being so; and so many of its ids equal to a
    number that is compared with, such as that of padding, and none of the others'. With 0 and 1 a mask is compared
    itself, and no count: a sample that is hidden but for one place may be none that a network is ever given."""
    counted = {step for number in whole - {0, 1} for step in (number - 1, number, number + 1)}
    for count in steps:

        def masked(name: str, array: NDArray, count: int = count) -> NDArray:
            if not is_mask(name, array) or array.ndim < 2 or not 0 < count <= array.shape[-1] or count not in counted:
                return array
            opened = np.ones_like(array)
            opened[0, ..., count:] = 0
            return opened

        def padded(name: str, array: NDArray, count: int = count) -> NDArray:
            if array.dtype.kind not in "iu" or array.ndim < 2 or is_mask(name, array) or count > array.shape[-1]:
                return array
            first, end = range_of(array)
            equal = next((number for number in sorted(whole) if first <= number < end), None)
            if equal is None or end - first < 2:
                return array
            other = equal + 1 if equal + 1 < end else first
            ids = np.where(array == equal, other, array)
            ids[0, ..., array.shape[-1] - count :] = equal
            return ids.astype(array.dtype)

        for change in (masked, padded):
            changed = with_arrays(inputs, change)
            if _differ(inputs, changed):
                yield changed


def _differ(inputs: Inputs, changed: Inputs) -> bool:
    pairs = zip(arrays(inputs).values(), arrays(changed).values(), strict=True)
    return any(not np.array_equal(a, b) for a, b in pairs)
