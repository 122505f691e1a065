"""Pairs the layers of two networks that hold arrays, by kind, shapes, order of execution and names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import permutations

from parity.pair.packing import Packing
from parity.pair.unit import Unit

Shapes = Mapping[str, tuple[int, ...]]
Signature = tuple[object, ...]


@dataclass(frozen=True)
class Holder:
    """A unit with the canonical shapes of its arrays."""

    unit: Unit
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def signature(self) -> Signature:
        """What two units must share to be the same layer."""
        return (self.unit.kind, *sorted(self.shapes.items()))


@dataclass(frozen=True)
class Link:
    """One canonical array and how each side's native arrays hold it.

    Args:
        role: its name in the unit.
        shape: canonical.
        flax, torch: packings of that shape.
        others: other packings of PyTorch's arrays that have the shape too.
        torch_role: its name in PyTorch's unit.
    """

    role: str
    shape: tuple[int, ...]
    flax: Packing
    torch: Packing
    others: tuple[Packing, ...] = ()
    torch_role: str = ""


@dataclass(frozen=True)
class Bond:
    """A Flax unit and the PyTorch unit that is taken to be the same layer.

    Args:
        links: canonical arrays that both hold.
        lone_flax, lone_torch: roles that only one side has.
    """

    flax: Unit
    torch: Unit
    links: tuple[Link, ...]
    lone_flax: tuple[str, ...] = ()
    lone_torch: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """All pairs, in Flax's order of execution, and what is left over."""

    bonds: tuple[Bond, ...]
    lone_flax: tuple[Unit, ...] = ()
    lone_torch: tuple[Unit, ...] = ()


def match(flax: Sequence[Unit], torch: Sequence[Unit], flax_shapes: Shapes, torch_shapes: Shapes) -> Match:
    """Pair the units: equal ones first, then those that share what they can, then single arrays by shape.

    Args:
        flax, torch: units in the order of execution.
        flax_shapes, torch_shapes: of the native arrays.
    """
    left = _holders(flax, flax_shapes), _holders(torch, torch_shapes)
    bonds: list[Bond] = []
    for find in (_equal, _alike, _same_sizes, _single):
        for a, b in find(*left):
            bonds.append(bond(a, b))
            left = _without(left[0], a), _without(left[1], b)
        if find is _same_sizes:
            left = _exploded(left[0]), _exploded(left[1])
    bonds.sort(key=lambda found: found.flax.order)
    return Match(tuple(bonds), tuple(h.unit for h in left[0]), tuple(h.unit for h in left[1]))


def holder(unit: Unit, shapes: Shapes) -> Holder:
    """The unit with its canonical shapes."""
    return Holder(unit, {role: packing.shape(shapes) for role, packing in unit.arrays.items()})


def bond(a: Holder, b: Holder) -> Bond:
    """The arrays that two units share."""
    roles = dict(_roles(a, b))
    links = tuple(_link(a, b, role, other) for role, other in roles.items())
    return Bond(
        a.unit,
        b.unit,
        links,
        tuple(role for role in a.shapes if role not in roles),
        tuple(role for role in b.shapes if role not in roles.values()),
    )


def _holders(units: Sequence[Unit], shapes: Shapes) -> list[Holder]:
    return [holder(unit, shapes) for unit in units]


def _without(holders: list[Holder], one: Holder) -> list[Holder]:
    return [other for other in holders if other is not one]


Pairs = Iterator[tuple[Holder, Holder]]


def _equal(flax: list[Holder], torch: list[Holder]) -> Pairs:
    """Equal signatures. As many on both sides: in order. Else what a common subsequence of all layers pairs, then in
    order."""
    by = _grouped(flax), _grouped(torch)
    common = None
    for signature, ours in by[0].items():
        theirs = by[1].get(signature, [])
        if len(ours) == len(theirs):
            yield from _ordered(ours, theirs)
        elif theirs:
            common = _subsequence(flax, torch) if common is None else common
            pairs = [(a, b) for a, b in common if a.signature == signature]
            yield from pairs
            rest = [[h for h in group if all(h is not p[i] for p in pairs)] for i, group in enumerate((ours, theirs))]
            yield from _ordered(*rest)


def _ordered(ours: list[Holder], theirs: list[Holder]) -> Pairs:
    """In order; single arrays that modules of no known kind hold, by the likeness of their names."""
    if not ours or ours[0].unit.kind != "custom" or len(ours) == 1:
        yield from zip(ours, theirs, strict=False)
        return
    theirs = list(theirs)
    for a in ours[: len(theirs)]:
        best = max(theirs, key=lambda b: _likeness(a, b))
        theirs = _without(theirs, best)
        yield a, best


def _likeness(a: Holder, b: Holder) -> float:
    first, second = ("".join(filter(str.isalnum, f"{h.unit.path}{''.join(h.shapes)}".lower())) for h in (a, b))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _grouped(holders: Iterable[Holder]) -> dict[Signature, list[Holder]]:
    groups = defaultdict(list)
    for one in holders:
        groups[one.signature].append(one)
    return groups


def _subsequence(flax: list[Holder], torch: list[Holder]) -> list[tuple[Holder, Holder]]:
    ours, theirs = ([one.signature for one in side] for side in (flax, torch))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [(flax[block.a + i], torch[block.b + i]) for block in blocks for i in range(block.size)]


def _alike(flax: list[Holder], torch: list[Holder]) -> Pairs:
    """One kind, and all arrays that both have are of one shape: one side has a bias, say, and the other has not."""
    yield from _first_fit(flax, torch, lambda a, b: a.unit.kind == b.unit.kind and _agree(a, b))


def _agree(a: Holder, b: Holder) -> bool:
    common = a.shapes.keys() & b.shapes.keys()
    return bool(common) and all(a.shapes[role] == b.shapes[role] for role in common)


def _same_sizes(flax: list[Holder], torch: list[Holder]) -> Pairs:
    """One of them of no known kind: as many arrays, of shapes that transposing makes equal."""
    yield from _first_fit(flax, torch, lambda a, b: "custom" in (a.unit.kind, b.unit.kind) and _sizes(a) == _sizes(b))


def _single(flax: list[Holder], torch: list[Holder]) -> Pairs:
    """Arrays of custom units by themselves: those of one shape by their names, then those that transposing makes so."""
    for key in (lambda h: tuple(h.shapes.values()), _sizes):
        ours, theirs = ([h for h in side if len(h.shapes) == 1] for side in (flax, torch))
        for value in dict.fromkeys(key(h) for h in ours):
            found = _ordered([h for h in ours if key(h) == value], [h for h in theirs if key(h) == value])
            pairs = [(a, b) for a, b in found if "custom" in (a.unit.kind, b.unit.kind)]
            yield from pairs
            flax = [h for h in flax if all(h is not a for a, _ in pairs)]
            torch = [h for h in torch if all(h is not b for _, b in pairs)]


def _first_fit(flax: list[Holder], torch: list[Holder], fits: object) -> Pairs:
    theirs = list(torch)
    for a in flax:
        if (b := next((b for b in theirs if fits(a, b)), None)) is not None:  # type: ignore[operator]
            theirs = _without(theirs, b)
            yield a, b


def _exploded(holders: list[Holder]) -> list[Holder]:
    """Custom units as one unit an array."""
    found: list[Holder] = []
    for one in holders:
        found += [_only(one, role) for role in one.shapes] if one.unit.kind == "custom" else [one]
    return found


def _only(one: Holder, role: str) -> Holder:
    return Holder(replace(one.unit, arrays={role: one.unit.arrays[role]}), {role: one.shapes[role]})


def _sizes(one: Holder) -> tuple[tuple[int, ...], ...]:
    return tuple(sorted(_size(shape) for shape in one.shapes.values()))


def _size(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(n for n in shape if n != 1))


def _roles(a: Holder, b: Holder) -> Iterator[tuple[str, str]]:
    """Role of a → the role of b that is the same array."""
    if a.unit.kind == b.unit.kind and _agree(a, b):
        yield from ((role, role) for role in a.shapes if role in b.shapes)
        return
    theirs = dict(b.shapes)
    for role, shape in a.shapes.items():
        fit = [other for other, size in theirs.items() if _size(size) == _size(shape)]
        if fit:
            best = max(fit, key=lambda other: SequenceMatcher(None, role, other).ratio())
            del theirs[best]
            yield role, best


def _link(a: Holder, b: Holder, role: str, other: str) -> Link:
    shape, packing = a.shapes[role], b.unit.arrays[other]
    free = "custom" in (a.unit.kind, b.unit.kind)
    readings = _readings(packing, b.shapes[other], shape, free)
    if free and role in ("scale", "weight") and len(shape) == 1:
        readings += [_offset(packing, by) for by in (1.0, -1.0)]
    return Link(role, shape, a.unit.arrays[role], readings[0], tuple(readings[1:]), other)


def _readings(packing: Packing, got: tuple[int, ...], wanted: tuple[int, ...], free: bool) -> list[Packing]:
    """How arrays of one shape can be read as arrays of the other, the likeliest first; as they are, unless `free`."""
    if got == wanted and not free:
        return [packing]
    small, target = ([n for n in shape if n != 1] for shape in (got, wanted))
    orders = [order for order in permutations(range(len(small))) if [small[i] for i in order] == target]
    found = [_transposed(packing, small, order, wanted) for order in orders]
    if got != wanted:
        return found
    return [packing, *(f for f, order in zip(found, orders, strict=True) if list(order) != sorted(order))]


def _transposed(packing: Packing, small: Sequence[int], order: tuple[int, ...], wanted: tuple[int, ...]) -> Packing:
    """Without axes of one, then transposed, with axes of one where the target has them."""
    places, ones = iter(order), iter(range(len(small), len(wanted)))
    axes = tuple(next(places) if n != 1 else next(ones) for n in wanted)
    return replace(packing, reshaped=(*small, *[1] * (len(wanted) - len(small))), transposed=axes)


def _offset(packing: Packing, by: float) -> Packing:
    return replace(packing, parts=tuple(replace(part, offset=by) for part in packing.parts))
