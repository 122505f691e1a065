"""Pairs the layers of two networks that hold arrays, by kind, shapes, order of execution and names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import permutations
from math import prod

from numpy.typing import NDArray

from parity.interface.packing import Packing
from parity.interface.unit import Unit

WORDS = [{a, "weight"} for a in ("kernel", "scale", "table", "gamma")] + [{"bias", "beta"}, {"bias", "b"}]
Shapes = Mapping[str, tuple[int, ...]]
Signature = tuple[object, ...]


@dataclass(frozen=True)
class ShapedUnit:
    """A unit with the canonical shapes of its arrays."""

    unit: Unit
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def signature(self) -> Signature:
        """What two units must share to be the same layer."""
        return (self.unit.kind, *sorted(self.shapes.items()))


@dataclass(frozen=True)
class Tie:
    """One side holds two canonical arrays in one native array.

    Args:
        side: "flax" or "torch".
        of: the link of the first of the two.
        transposed: whether the second is the first transposed.
    """

    side: str
    of: "ArrayPairing"
    transposed: bool

    def turn(self, first: NDArray) -> NDArray:
        """The second array, or anything of its shape, of the first; and the other way round."""
        return first.T if self.transposed else first


@dataclass(frozen=True)
class ArrayPairing:
    """One canonical array and how each side's native arrays hold it.

    Args:
        role: its name in the unit.
        shape: canonical.
        flax, torch: packings of that shape.
        others: other packings of PyTorch's arrays that have the shape too.
        torch_role: its name in PyTorch's unit.
        tie: where one side holds it in the array of another link.
    """

    role: str
    shape: tuple[int, ...]
    flax: Packing
    torch: Packing
    others: tuple[Packing, ...] = ()
    torch_role: str = ""
    tie: Tie | None = None


@dataclass(frozen=True)
class LayerPairing:
    """A Flax unit and the PyTorch unit that is taken to be the same layer.

    Args:
        links: canonical arrays that both hold.
        lone_flax, lone_torch: roles that only one side has.
    """

    flax: Unit
    torch: Unit
    links: tuple[ArrayPairing, ...]
    lone_flax: tuple[str, ...] = ()
    lone_torch: tuple[str, ...] = ()


@dataclass(frozen=True)
class WeightMap:
    """All pairs, in Flax's order of execution, and what is left over."""

    bonds: tuple[LayerPairing, ...]
    lone_flax: tuple[Unit, ...] = ()
    lone_torch: tuple[Unit, ...] = ()

    @property
    def links(self) -> Iterator[tuple[LayerPairing, ArrayPairing]]:
        """Every canonical array, with its pair."""
        return ((bond, link) for bond in self.bonds for link in bond.links)

    def tied_to(self, link: ArrayPairing) -> list[tuple[LayerPairing, ArrayPairing]]:
        """The arrays that one side holds in the array of this link, with their pairs."""
        return [(bond, other) for bond, other in self.links if other.tie is not None and other.tie.of == link]


def match(flax: Sequence[Unit], torch: Sequence[Unit], flax_shapes: Shapes, torch_shapes: Shapes) -> WeightMap:
    """Pair the units: equal ones first, then those that share what they can, then single arrays by shape.

    Args:
        flax, torch: units in the order of execution.
        flax_shapes, torch_shapes: of the native arrays.
    """
    left = _holders(flax, flax_shapes), _holders(torch, torch_shapes)
    bonds: list[LayerPairing] = []
    for find in (_equal, _alike, _patches, _same_sizes, _cells, _single):
        if find is _cells:
            left = _taken_apart(left[0]), _taken_apart(left[1])
        elif find is _single:
            left = _exploded(left[0]), _exploded(left[1])
        for a, b in find(*left):
            bonds.append(_patched(a, b) if find is _patches else bond(a, b))
            left = _without(left[0], a), _without(left[1], b)
    bonds = _one_bias(bonds)
    bonds.sort(key=lambda found: found.flax.order)
    return WeightMap(tuple(bonds), tuple(h.unit for h in left[0]), tuple(h.unit for h in left[1]))


def holder(unit: Unit, shapes: Shapes) -> ShapedUnit:
    """The unit with its canonical shapes."""
    return ShapedUnit(unit, {role: packing.shape(shapes) for role, packing in unit.arrays.items()})


def bond(a: ShapedUnit, b: ShapedUnit) -> LayerPairing:
    """The arrays that two units share."""
    roles = dict(_roles(a, b))
    links = tuple(_link(a, b, role, other) for role, other in roles.items())
    return LayerPairing(
        a.unit,
        b.unit,
        links,
        tuple(role for role in a.shapes if role not in roles),
        tuple(role for role in b.shapes if role not in roles.values()),
    )


def _holders(units: Sequence[Unit], shapes: Shapes) -> list[ShapedUnit]:
    return [holder(unit, shapes) for unit in units]


def _without(holders: list[ShapedUnit], one: ShapedUnit) -> list[ShapedUnit]:
    return [other for other in holders if other is not one]


Pairs = Iterator[tuple[ShapedUnit, ShapedUnit]]


def _equal(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
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


def _ordered(ours: list[ShapedUnit], theirs: list[ShapedUnit]) -> Pairs:
    """In order; single arrays that modules of no known kind hold, by the likeness of their names."""
    if not ours or ours[0].unit.kind != "custom" or len(ours) == 1:
        yield from zip(ours, theirs, strict=False)
        return
    theirs = list(theirs)
    for a in ours[: len(theirs)]:
        best = max(theirs, key=lambda b: _likeness(a, b))
        theirs = _without(theirs, best)
        yield a, best


def _likeness(a: ShapedUnit, b: ShapedUnit) -> float:
    first, second = ("".join(filter(str.isalnum, f"{h.unit.path}{''.join(h.shapes)}".lower())) for h in (a, b))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _grouped(holders: Iterable[ShapedUnit]) -> dict[Signature, list[ShapedUnit]]:
    groups = defaultdict(list)
    for one in holders:
        groups[one.signature].append(one)
    return groups


def _subsequence(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> list[tuple[ShapedUnit, ShapedUnit]]:
    ours, theirs = ([one.signature for one in side] for side in (flax, torch))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [(flax[block.a + i], torch[block.b + i]) for block in blocks for i in range(block.size)]


def _alike(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
    """One kind, and all arrays that both have are of one shape: one side has a bias, say, and the other has not."""
    yield from _first_fit(flax, torch, lambda a, b: a.unit.kind == b.unit.kind != "custom" and _agree(a, b))


def _agree(a: ShapedUnit, b: ShapedUnit) -> bool:
    common = a.shapes.keys() & b.shapes.keys()
    return bool(common) and all(a.shapes[role] == b.shapes[role] for role in common)


def _patches(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
    """A convolution whose strides are its kernel's size, and a dense layer over the same patches."""
    yield from _first_fit(flax, torch, lambda a, b: _over_patches(a, b) or _over_patches(b, a))


def _over_patches(conv: ShapedUnit, dense: ShapedUnit) -> bool:
    if (conv.unit.kind, dense.unit.kind) != ("conv", "dense") or conv.shapes.keys() != dense.shapes.keys():
        return False
    settings, kernel = conv.unit.settings, conv.shapes["kernel"]
    steps = settings.get("strides") == settings.get("kernel_size") and settings.get("groups") == 1
    return steps and (prod(kernel[:-1]), kernel[-1]) == dense.shapes["kernel"]


def _patched(a: ShapedUnit, b: ShapedUnit) -> LayerPairing:
    """The pair; rows of the dense kernel are the patch's rows, columns, channels, or channels, rows, columns."""
    one = bond(a, b)
    return replace(one, links=(_patch_link(a, b), *one.links), lone_flax=(), lone_torch=())


def _patch_link(a: ShapedUnit, b: ShapedUnit) -> ArrayPairing:
    ours, theirs = a.shapes["kernel"], b.shapes["kernel"]
    packing = b.unit.arrays["kernel"]
    link = ArrayPairing("kernel", ours, a.unit.arrays["kernel"], packing, torch_role="kernel")
    if len(theirs) > 2:  # PyTorch has the convolution: (out, in, *spatial)
        part = packing.parts[0]
        first = replace(part, axes=(*range(1, len(theirs)), 0))
        others = (replace(packing, parts=(first,), reshaped=ours),)
        return replace(link, torch=replace(packing, reshaped=ours), others=others)
    channels_first = (ours[-2], *ours[:-2], ours[-1])
    order = (*range(1, len(ours) - 1), 0, len(ours) - 1)
    others = (replace(packing, reshaped=channels_first, transposed=order),)
    return replace(link, torch=replace(packing, reshaped=ours), others=others)


def _cells(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
    """The two dense layers that one side's recurrent layer is to the other."""
    yield from _first_fit(flax, torch, lambda a, b: a.unit.kind == b.unit.kind == "dense" and _agree(a, b))


def _taken_apart(holders: list[ShapedUnit]) -> list[ShapedUnit]:
    """Recurrent layers as the two dense layers that they are, each with a bias of its own where there are two."""
    found: list[ShapedUnit] = []
    for one in holders:
        found += _halves(one) if one.unit.kind in ("lstm", "rnn") else [one]
    return found


def _halves(one: ShapedUnit) -> list[ShapedUnit]:
    arrays, bias = one.unit.arrays, one.unit.arrays.get("bias")
    parts = bias.parts if bias is not None and bias.join == "sum" else ()
    halves = []
    for place, role in enumerate(("input_kernel", "recurrent_kernel")):
        own = {"kernel": arrays[role]}
        if bias is not None and (parts or role == "recurrent_kernel"):
            own["bias"] = replace(bias, parts=(parts[place],), join="concatenate") if parts else bias
        shapes = {"kernel": one.shapes[role], **({"bias": one.shapes["bias"]} if "bias" in own else {})}
        halves.append(ShapedUnit(replace(one.unit, kind="dense", arrays=own, settings={}), shapes))
    return halves


def _one_bias(bonds: list[LayerPairing]) -> list[LayerPairing]:
    """Where of two halves of a recurrent layer one only has a partner for its bias: that is the sum of both."""
    lone = {id(b): b for b in bonds if b.torch.kind == "dense" and b.lone_torch == ("bias",)}
    found = []
    for one in bonds:
        half = next((b for b in lone.values() if b is not one and b.torch.path == one.torch.path), None)
        if half is None or one.torch.kind != "dense":
            found.append(replace(one, lone_torch=()) if _summed(one, bonds) else one)
            continue
        other = half.torch.arrays["bias"].parts
        links = tuple(
            replace(li, torch=Packing((*other, *li.torch.parts), "sum")) if li.role == "bias" else li
            for li in one.links
        )
        found.append(replace(one, links=links))
    return found


def _summed(one: LayerPairing, bonds: list[LayerPairing]) -> bool:
    """Whether the lone bias of a half is in the other half's sum."""
    others = [b for b in bonds if b is not one and b.torch.path == one.torch.path and b.torch.kind == "dense"]
    return one.lone_torch == ("bias",) and any(li.role == "bias" for b in others for li in b.links)


def _same_sizes(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
    """One of them of no known kind: as many arrays, of shapes that transposing makes equal."""
    yield from _first_fit(flax, torch, lambda a, b: "custom" in (a.unit.kind, b.unit.kind) and _sizes(a) == _sizes(b))


def _single(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> Pairs:
    """Arrays of custom units by themselves: those of one shape by their names, then those that transposing makes so."""
    for key in (lambda h: tuple(h.shapes.values()), _sizes):
        ours, theirs = ([h for h in side if len(h.shapes) == 1] for side in (flax, torch))
        for value in dict.fromkeys(key(h) for h in ours):
            found = _ordered([h for h in ours if key(h) == value], [h for h in theirs if key(h) == value])
            pairs = [(a, b) for a, b in found if "custom" in (a.unit.kind, b.unit.kind)]
            yield from pairs
            flax = [h for h in flax if all(h is not a for a, _ in pairs)]
            torch = [h for h in torch if all(h is not b for _, b in pairs)]


def _first_fit(flax: list[ShapedUnit], torch: list[ShapedUnit], fits: object) -> Pairs:
    theirs = list(torch)
    for a in flax:
        if (b := next((b for b in theirs if fits(a, b)), None)) is not None:  # type: ignore[operator]
            theirs = _without(theirs, b)
            yield a, b


def _exploded(holders: list[ShapedUnit]) -> list[ShapedUnit]:
    """Custom units as one unit an array."""
    found: list[ShapedUnit] = []
    for one in holders:
        found += [_only(one, role) for role in one.shapes] if one.unit.kind == "custom" else [one]
    return found


def _only(one: ShapedUnit, role: str) -> ShapedUnit:
    return ShapedUnit(replace(one.unit, arrays={role: one.unit.arrays[role]}), {role: one.shapes[role]})


def _sizes(one: ShapedUnit) -> tuple[tuple[int, ...], ...]:
    return tuple(sorted(_size(shape) for shape in one.shapes.values()))


def _size(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(n for n in shape if n != 1))


def _roles(a: ShapedUnit, b: ShapedUnit) -> Iterator[tuple[str, str]]:
    """Role of a → the role of b that is the same array."""
    if a.unit.kind == b.unit.kind != "custom" and _agree(a, b):
        yield from ((role, role) for role in a.shapes if role in b.shapes)
        return
    fit = [(r, o) for r, shape in a.shapes.items() for o, size in b.shapes.items() if _size(size) == _size(shape)]
    taken: set[str] = set()
    for role, other in sorted(fit, key=lambda pair: -_kinship(*pair)):
        if f"a.{role}" not in taken and f"b.{other}" not in taken:
            taken |= {f"a.{role}", f"b.{other}"}
            yield role, other


def _kinship(role: str, other: str) -> float:
    """How alike two names of arrays are; the field's names for one thing count as nearly one name."""
    if role == other:
        return 3.0
    return 2.0 if {role, other} in WORDS else SequenceMatcher(None, role, other).ratio()


def _link(a: ShapedUnit, b: ShapedUnit, role: str, other: str) -> ArrayPairing:
    shape, packing = a.shapes[role], b.unit.arrays[other]
    free = "custom" in (a.unit.kind, b.unit.kind)
    readings = _readings(packing, b.shapes[other], shape, free)
    if free and role in ("scale", "weight") and len(shape) == 1:
        readings += [_offset(packing, by) for by in (1.0, -1.0)]
    return ArrayPairing(role, shape, a.unit.arrays[role], readings[0], tuple(readings[1:]), other)


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
