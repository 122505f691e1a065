"""How the arrays of one unit can be read as the arrays of another, the likeliest reading first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from parity.interface.packing import Packing
from parity.pair.weightmap.pairing.names import role_likeness
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.pair.weightmap.pairing.signatures import Shape, ShapedUnit, share_arrays, sizes

SCALE_OFFSETS = (1.0, -1.0)
"""What one side may add to a scale that it stores as its distance from one."""
MOST_OF_ONE_SIZE = 3
"""Arrays of one unit that are equally long and are paired in every way; more are too many ways."""


def pair_units(flax: ShapedUnit, torch: ShapedUnit, pairs: Mapping[str, str] | None = None) -> LayerPairing:
    """The pairing of two units: all arrays that both hold, and the roles that only one of them has.

    Args:
        flax, torch: The units.
        pairs: Flax's role → PyTorch's of the arrays that belong together; None where their names shall say it.
    """
    roles = dict(_shared_roles(flax, torch)) if pairs is None else pairs
    return LayerPairing(
        flax.unit,
        torch.unit,
        tuple(_pair_arrays(flax, torch, role, torch_role) for role, torch_role in roles.items()),
        tuple(role for role in flax.shapes if role not in roles),
        tuple(role for role in torch.shapes if role not in roles.values()),
    )


def _shared_roles(flax: ShapedUnit, torch: ShapedUnit) -> Iterator[tuple[str, str]]:
    """Flax's role and PyTorch's role of each array that both units hold.

    Units of one known kind share arrays by role; else any arrays whose axes are equally long, by the likeness of their
    names.
    """
    if flax.unit.kind == torch.unit.kind and not flax.is_custom and share_arrays(flax, torch):
        yield from ((role, role) for role in flax.shapes if role in torch.shapes)
        return
    fitting = [
        (role, other)
        for role, shape in flax.shapes.items()
        for other, torch_shape in torch.shapes.items()
        if sizes(shape) == sizes(torch_shape)
    ]
    paired: tuple[set[str], set[str]] = set(), set()
    for role, other in sorted(fitting, key=lambda roles: -role_likeness(*roles)):
        if role not in paired[0] and other not in paired[1]:
            paired[0].add(role)
            paired[1].add(other)
            yield role, other


def other_roles(layer: LayerPairing, flax: ShapedUnit, torch: ShapedUnit) -> Iterator[LayerPairing]:
    """The pairing with arrays of equally long axes paired otherwise, where a unit is of no known kind: there only their
    names say which belong together."""
    if not (flax.is_custom or torch.is_custom):
        return
    roles = {array.role: array.torch_role for array in layer.arrays}
    groups: dict[tuple[int, ...], list[str]] = {}
    for role in roles:
        groups.setdefault(sizes(flax.shapes[role]), []).append(role)
    for group in groups.values():
        for order in permutations(group) if 1 < len(group) <= MOST_OF_ONE_SIZE else ():
            if list(order) != group:
                yield pair_units(flax, torch, {**roles, **dict(zip(group, (roles[r] for r in order), strict=True))})


def _pair_arrays(flax: ShapedUnit, torch: ShapedUnit, role: str, torch_role: str) -> ArrayPairing:
    shape, packing = flax.shapes[role], torch.unit.arrays[torch_role]
    readings = readings_of(flax, torch, role, torch_role)
    if (flax.is_custom or torch.is_custom) and role in ("scale", "weight") and len(shape) == 1:
        readings += [_with_offset(packing, offset) for offset in SCALE_OFFSETS]
    return ArrayPairing(role, shape, flax.unit.arrays[role], readings[0], tuple(readings[1:]), torch_role)


def readings_of(flax: ShapedUnit, torch: ShapedUnit, role: str, torch_role: str) -> list[Packing]:
    """Packings that read an array of PyTorch's unit as one of Flax's, the likeliest first.

    Args:
        flax, torch: The units.
        role, torch_role: The roles of the arrays, whose axes are equally long but for their order.
    """
    free = flax.is_custom or torch.is_custom
    every = _readings(torch.unit.arrays[torch_role], torch.shapes[torch_role], flax.shapes[role], free)
    if flax.is_custom and len(every) == 2 and role == "kernel" and torch_role != "kernel":
        every.reverse()  # Flax's kernels have their outputs last, PyTorch's weights first: also square ones
    return every


def _readings(packing: Packing, shape: Shape, wanted: Shape, free: bool) -> list[Packing]:
    """Packings that read arrays of one shape as arrays of the wanted one, the likeliest first.

    Args:
        packing: The packing that reads an array of `shape`.
        shape: The shape that it reads.
        wanted: The shape to be read; its axes are those of `shape` in any order, besides axes of length one.
        free: Whether arrays that have the wanted shape already may be transposed too.
    """
    if shape == wanted and not free:
        return [packing]
    long, target = ([size for size in axes if size != 1] for axes in (shape, wanted))
    orders = [order for order in permutations(range(len(long))) if [long[axis] for axis in order] == target]
    orders.sort(key=lambda order: order != _of_kernels(shape))
    transposed = [_transposed(packing, long, order, wanted) for order in orders]
    if shape != wanted:
        return transposed
    moved = (reading for reading, order in zip(transposed, orders, strict=True) if list(order) != sorted(order))
    return [packing, *moved]


def _of_kernels(shape: Shape) -> tuple[int, ...]:
    """The order of axes that turns PyTorch's kernels of convolutions, outputs first, into Flax's, outputs last; of the
    axes that are longer than one."""
    long = [axis for axis, size in enumerate(shape) if size != 1]
    return tuple(long.index(axis) for axis in (*range(2, len(shape)), 1, 0) if axis in long)


def _transposed(packing: Packing, long: Sequence[int], order: tuple[int, ...], wanted: Shape) -> Packing:
    """The packing without axes of length one, then transposed, with axes of length one where `wanted` has them."""
    places, ones = iter(order), iter(range(len(long), len(wanted)))
    axes = tuple(next(places) if size != 1 else next(ones) for size in wanted)
    shape = (*long, *[1] * (len(wanted) - len(long)))
    if packing.cut:
        return replace(packing, shape_after=shape, axes_after=axes)
    return replace(packing, reshaped=shape, transposed=axes)


def _with_offset(packing: Packing, offset: float) -> Packing:
    return replace(packing, parts=tuple(replace(part, offset=offset) for part in packing.parts))
