"""What is written in the operations of a piece, and how it is told."""

from collections.abc import Iterator
from typing import Any

from parity.interface.programs.operations import Operation, numbers_in
from parity.pair.causes.search.families.candidates import NUMBERS
from parity.pair.causes.search.piece import Half

SKIPPED = frozenset({"inplace", "out_dtype", "sharding", "out_sharding", "accuracy", "preferred_element_type", "dtype",
                     "dimension_numbers", "broadcast_dimensions", "shape", "new_sizes", "permutation", "unique_indices",
                     "indices_are_sorted", "is_stable", "num_keys", "precision", "feature_group_count"})  # fmt: skip
"""Settings that are no choice of the user's, or of which one alone makes no sense."""
FIXED = frozenset({"_weight_norm", "weight_norm"})
"""Operations whose settings are left alone: PyTorch 2.13 writes beyond its memory where weight norm's axis does not fit
the scale."""


def _counts_from_end(half: Half, each: Operation) -> bool:
    """Whether an operation is of JAX's own way to count indices below zero from the end: nobody has written it."""
    if each.name != "lt" or 0 not in numbers_in(tuple(each.settings.values())):
        return False
    takers = [other for _, other in half.operations if set(other.operands) & set(each.results)]
    return bool(takers) and all(
        other.name == "select_n" and half.values[other.results[0]].dtype.kind in "iu" for other in takers
    )


def is_of_index(half: Half, number: int) -> bool:
    """Whether an operation is one of those by which JAX counts an index below zero from the end: the comparison, or the
    choice that follows it."""
    each = half.program.operations[number]
    makers = [half.program.maker.get(value) for value in each.operands[:1]]
    asked = [half.program.operations[maker] for maker in makers if maker in half.numbers]
    return _counts_from_end(half, each) or (each.name == "select_n" and any(_counts_from_end(half, a) for a in asked))


def groups(half: Half) -> Iterator[tuple[list[int], Operation]]:
    """The operations of a piece, those that the same line asks for in the same way together; then such ones alone."""
    inside, seen = set(half.numbers), set[int]()
    for number, each in half.operations:
        if number not in seen and each.name not in FIXED:
            alike = [n for n in half.program.places.alike(number) if n in inside]
            seen.update(alike)
            yield alike, each
            if len(alike) > 1:
                yield from (([n], half.program.operations[n]) for n in alike)


def pool_of(half: Half) -> list[Any]:
    """The numbers, and tuples of numbers, that are written in a side's piece."""
    pool: dict[Any, None] = {}
    for _, each in half.operations:
        for name, value in each.settings.items():
            if name in SKIPPED or isinstance(value, bool | str) or value is None:
                continue
            if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
                pool[value] = None
            pool |= dict.fromkeys(numbers_in(value))
    for value in half.entering:
        kind, _ = half.program.origins.get(value, ("", ""))
        array = half.values[value]
        if kind == "constant" and array.size == 1 and array.dtype.kind in "fiu":
            pool[array.item()] = None
    return list(pool)


def what(each: Operation, name: str) -> str:
    """A setting of an operation in words."""
    if each.name == "getitem":
        return "index"
    return f"number in {each.name}" if name.startswith(NUMBERS) else f"{each.name}'s {name}"


def text_of(value: Any) -> str:
    """A setting for people."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, slice):
        return ":".join(
            "" if part is None else str(part)
            for part in (value.start, value.stop, value.step)[: 3 if value.step else 2]
        )
    if isinstance(value, tuple | list):
        inside = ", ".join("…" if v is Ellipsis else text_of(v) for v in value)
        return f"({inside}{',' if len(value) == 1 else ''})"
    return repr(value)
