"""The layers of any Flax network that hold arrays; every array belongs to one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from parity.backends.flax.layers import CELLS, DESCRIBED, Arrays, Seat, dtype_of, is_plain
from parity.interface.packing import Packing, whole
from parity.interface.unit import Kind, Unit

Described = tuple[Kind, Arrays, dict[str, Any], int | None]
SCALE = "/kernel/scale"
"""What stands behind a layer's name in the name of the norm of its kernel."""


def units_of(seats: list[Seat], beneath: Callable[[str, str], bool]) -> list[Unit]:
    """All units in the order of execution.

    Args:
        seats: every module, parents before children.
        beneath: whether the second path is within the first.
    """
    keyed: list[tuple[tuple[int, int, int, int], Unit]] = []
    cells: list[str] = []
    for place, seat in enumerate(seats):
        if any(beneath(cell, seat.path) for cell in cells):
            continue
        if is_plain(seat.module, CELLS):
            cells.append(seat.path)
        for number, (index, unit) in enumerate(_units(seat)):
            when = len(seats) * 9 if seat.ran is None else seat.ran
            keyed.append(((when, 0 if index is None else index, place, number), unit))
    ordered = _with_norms(_interleaved([(key, unit) for key, unit in sorted(keyed, key=lambda pair: pair[0])]))
    return [replace(unit, order=order) for order, unit in enumerate(ordered)]


def _with_norms(units: list[Unit]) -> list[Unit]:
    """The units with what Linen's weight norms hold in the layers whose kernels they norm."""
    norms = {path: (unit, role) for unit in units if unit.type == "WeightNorm" for path, role in _normed_layers(unit)}
    normed = {unit.path for unit in units} & norms.keys()
    layers = []
    for unit in units:
        if unit.path in normed:
            norm, role = norms[unit.path]
            unit = replace(unit, arrays={**unit.arrays, "weight_scale": norm.arrays[role]})
        if not (unit.type == "WeightNorm" and normed.issuperset(path for path, _ in _normed_layers(unit))):
            layers.append(unit)
    return layers


def _normed_layers(norm: Unit) -> Iterator[tuple[str, str]]:
    """The paths of the layers that a weight norm of Linen's holds the norms of, each with the norm's role."""
    above = norm.path.rpartition("/")[0]
    for role in norm.arrays:
        layer = role.removesuffix(SCALE)
        yield (f"{above}/{layer}" if above else layer), role


def _interleaved(keyed: list[tuple[tuple[int, int, int, int], Unit]]) -> list[Unit]:
    """Stacked layers that stand together, layer by layer."""
    ordered: list[Unit] = []
    run: list[tuple[int, Unit]] = []
    for key, unit in keyed:
        if unit.path.endswith("]"):
            run.append((key[1], unit))
            continue
        ordered += [u for _, u in sorted(run, key=lambda pair: pair[0])]
        run = []
        ordered.append(unit)
    return ordered + [u for _, u in sorted(run, key=lambda pair: pair[0])]


def _units(seat: Seat) -> Iterator[tuple[int | None, Unit]]:
    """The units of a module, with their index among stacked ones."""
    kind, arrays, settings, depth = _described(seat)
    unit = Unit(seat.path, kind, arrays, settings, 0, _type(seat), seat.ran is not None)
    for index in range(depth or 0):
        stacked = {role: _at(packing, index) for role, packing in arrays.items()}
        yield index, replace(unit, path=f"{seat.path}[{index}]", arrays=stacked)
    if depth is None and arrays:
        yield None, unit
    taken = {name for packing in arrays.values() for name in packing.names}
    if rest := {name: whole(seat.names[name]) for name in seat.held if seat.names[name] not in taken}:
        yield None, replace(unit, kind="custom", arrays=rest, settings={})


def _type(seat: Seat) -> str:
    return "" if seat.module is None else type(seat.module).__name__


def _telling(seat: Seat) -> str:
    """Name of the array whose axes tell whether layers are stacked."""
    inner = [name for name in seat.names if name.endswith(".kernel")]
    return next((name for name in ("kernel", "embedding", "scale", "bias", *inner) if name in seat.names), "")


def _at(packing: Packing, index: int) -> Packing:
    return replace(packing, parts=tuple(replace(part, cut=(index, *part.cut)) for part in packing.parts))


def _described(seat: Seat) -> Described:
    """Kind, packings, settings, and the number of stacked layers; no packings if the kind is not a known one, or if
    some of its arrays are elsewhere (shared with another layer)."""
    for classes, kind, rank, describe in DESCRIBED:
        axes = rank(seat.module) if is_plain(seat.module, classes) else None
        if axes is None or not seat.names:
            continue
        name = _telling(seat)
        lead = len(seat.shapes[name]) - (1 if name in ("scale", "bias") else axes) if name else 0
        if lead not in (0, 1):
            break
        depth = seat.shapes[name][0] if lead else None
        bare = {n: shape[lead:] for n, shape in seat.shapes.items()}
        try:
            arrays, settings = describe(seat, bare)
        except KeyError:
            break
        return kind, arrays, {**settings, **dtype_of(seat.module)}, depth
    return "custom", {}, {}, None
