"""The layers of any Flax network that hold arrays; every array belongs to one."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flax import nnx

from parity.backends.flax.layers import CELLS, DESCRIBED, Arrays, Seat, dtype_of, is_plain
from parity.interface.packing import Packing, whole
from parity.interface.unit import Kind, Unit

Described = tuple[Kind, Arrays, dict[str, Any], int | None]
NORMS: Mapping[str, Mapping[str, str]] = {
    "WeightNorm": {"scale": "weight_scale"},
    "SpectralNorm": {"u": "spectral_u", "sigma": "spectral_sigma"},
}
"""Class of a wrapper → what it holds of a layer's kernel, with its canonical role."""
TUPLE = re.compile(r"\(.*\)$")
"""A path that is the key of a dict."""


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
    modules = {seat.path: seat.module for seat in seats}
    ordered = _with_norms(_interleaved([(key, u) for key, u in sorted(keyed, key=lambda pair: pair[0])]), modules)
    return [replace(unit, order=order) for order, unit in enumerate(ordered)]


def _with_norms(units: list[Unit], modules: Mapping[str, Any]) -> list[Unit]:
    """The units with what Flax's wrappers hold in the layers whose kernels they norm."""
    held: dict[str, tuple[Unit, dict[str, Packing]]] = {}
    for norm in (unit for unit in units if unit.type in NORMS):
        for path, role, array in _normed_layers(norm):
            held.setdefault(path, (norm, {}))[1][role] = array
    normed = {unit.path for unit in units} & held.keys()
    whole_norms = {norm.path for norm, _ in held.values()} - {held[path][0].path for path in held.keys() - normed}
    layers = []
    for unit in units:
        if unit.path in normed and unit.type not in NORMS:
            norm, arrays = held[unit.path]
            settings = _power_iteration(modules[norm.path]) if norm.type == "SpectralNorm" else {}
            unit = replace(unit, arrays={**unit.arrays, **arrays}, settings={**unit.settings, **settings})
        if unit.type not in NORMS or unit.path not in whole_norms:
            layers.append(unit)
    return layers


def _normed_layers(norm: Unit) -> Iterator[tuple[str, str, Packing]]:
    """What a wrapper holds of the kernels of layers: the path of the layer, the canonical role, and the array.

    Linen's has "Dense_0/kernel/u" of a layer beside it, NNX's "batch_stats.('kernel', 'u')" of one below it.
    """
    linen, roles = norm.path.rpartition("/")[0], NORMS[norm.type]
    for name, array in norm.arrays.items():
        nested = TUPLE.search(name)
        parts = tuple(ast.literal_eval(nested[0])) if nested else tuple(name.split("/"))
        if len(parts) < 2 or parts[-2] != "kernel" or parts[-1] not in roles:
            continue
        if nested:
            path = ".".join(filter(None, (norm.path, "layer_instance", *map(str, parts[:-2]))))
        else:
            path = "/".join(filter(None, (linen, *parts[:-2])))
        yield path, roles[parts[-1]], _as_vector(array) if norm.type == "SpectralNorm" else array


def _as_vector(packing: Packing) -> Packing:
    """The packing of a row, as Flax keeps u, as a vector."""
    return replace(packing, parts=tuple(replace(part, shape=(-1,)) for part in packing.parts))


def _power_iteration(norm: Any) -> dict[str, Any]:
    """What `SETTINGS` has of a spectral norm."""
    words = "of v and u at every call, in evaluation too"
    settings = {"power_steps": int(norm.n_steps), "power_eps": float(norm.epsilon)}
    if isinstance(norm, nnx.Module):
        words = f"{words}, and writes what is normed over the kernel"
        settings["overwritten"] = True
    return {**settings, "power_iteration": words}


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
