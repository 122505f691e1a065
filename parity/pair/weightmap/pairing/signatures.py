"""What two units must share to be the same layer: their kind, and the shapes of their arrays."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from parity.interface.unit import Unit

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Name of a native array → its shape."""
Signature = tuple[object, ...]


@dataclass(frozen=True)
class ShapedUnit:
    """A unit with the canonical shapes of its arrays.

    Args:
        unit: The unit as its side describes it.
        shapes: The canonical shape of each array by role.
        tables: The roles of arrays that are not trained, such as tables of sines and running statistics.
    """

    unit: Unit
    shapes: Mapping[str, Shape]
    tables: frozenset[str] = frozenset()

    @property
    def signature(self) -> Signature:
        """The kind and the shapes by role: two units with the same signature may be the same layer."""
        return (self.unit.kind, *sorted(self.shapes.items()))

    @property
    def is_custom(self) -> bool:
        """Whether the unit's module is of no known kind, so that its arrays may be laid out in any way."""
        return self.unit.kind == "custom"

    def only(self, role: str) -> "ShapedUnit":
        """The unit with nothing but the array of that role."""
        return self.among([role])

    def among(self, roles: Sequence[str]) -> "ShapedUnit":
        """The unit with nothing but the arrays of these roles."""
        arrays = {role: self.unit.arrays[role] for role in roles}
        shapes = {role: self.shapes[role] for role in roles}
        return ShapedUnit(replace(self.unit, arrays=arrays), shapes, self.tables & arrays.keys())


def with_shapes(unit: Unit, shapes: Shapes, trained: Container[str] | None = None) -> ShapedUnit:
    """The unit with its canonical shapes.

    Args:
        unit: The unit.
        shapes: The shapes of the native arrays of its side.
        trained: The names of the native arrays that are trained; None where all count as such.
    """
    tables = (
        role
        for role, packing in unit.arrays.items()
        if trained is not None and not any(name in trained for name in packing.names)
    )
    return ShapedUnit(unit, {role: packing.shape(shapes) for role, packing in unit.arrays.items()}, frozenset(tables))


def by_signature(
    units: Iterable[ShapedUnit], key: Callable[[ShapedUnit], Signature] = attrgetter("signature")
) -> dict[Signature, list[ShapedUnit]]:
    """The units grouped by signature, or by another key, each group in the order given."""
    groups = defaultdict(list)
    for unit in units:
        groups[key(unit)].append(unit)
    return groups


def without(units: list[ShapedUnit], removed: Sequence[ShapedUnit]) -> list[ShapedUnit]:
    """The units but for some of these very objects: equal ones stay."""
    gone = {id(unit) for unit in removed}
    return [unit for unit in units if id(unit) not in gone]


def share_arrays(flax: ShapedUnit, torch: ShapedUnit) -> bool:
    """Whether the units have roles in common and all arrays of these are of one shape."""
    common = flax.shapes.keys() & torch.shapes.keys()
    return bool(common) and all(flax.shapes[role] == torch.shapes[role] for role in common)


def sizes(shape: Shape) -> Shape:
    """The sorted sizes of the axes that are longer than one: alike for all transposed forms of an array."""
    return tuple(sorted(size for size in shape if size != 1))


def unit_sizes(unit: ShapedUnit) -> tuple[Shape, ...]:
    """The sorted sizes of all arrays of a unit."""
    return tuple(sorted(sizes(shape) for shape in unit.shapes.values()))
