"""The weight map as a file that a person can edit: which layers are one, and how their arrays fit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import MinLen
from typing_extensions import TypedDict

from parity import documents
from parity.errors import UsageError, unknown_name
from parity.files import write_atomically
from parity.interface.packing import Packing
from parity.interface.unit import Unit
from parity.pair.weightmap.pairings import ArrayPairing, LayerPairing, WeightMap
from parity.pair.weightmap.readings import pair_units
from parity.pair.weightmap.signatures import ShapedUnit, Shapes, with_shapes

FORMAT = "netparity-map/1"


class Array(TypedDict):
    """Two arrays that are one, and how they fit."""

    flax: str
    torch: str
    flax_reshaped: NotRequired[list[int]]
    flax_transposed: NotRequired[list[int]]
    torch_reshaped: NotRequired[list[int]]
    torch_transposed: NotRequired[list[int]]
    offset: NotRequired[float]


class LayerEntry(TypedDict):
    """Two layers that are one."""

    flax: str
    torch: str
    arrays: Annotated[list[Array], MinLen(1)]


class Document(TypedDict):
    """The file."""

    format: Literal["netparity-map/1"]
    pairs: list[LayerEntry]


def write(weight_map: WeightMap, path: str | Path) -> None:
    """Write the map, whole or not at all. Ties are found anew where it is read.

    Raises:
        UsageError: the file cannot be written.
    """
    own = [(b, [_array(link) for link in b.arrays if link.tie is None]) for b in weight_map.layers]
    pairs = [{"flax": b.flax.path, "torch": b.torch.path, "arrays": arrays} for b, arrays in own if arrays]
    document = {
        "format": FORMAT,
        "pairs": pairs,
        "only_flax": [unit.path for unit in weight_map.lone_flax],
        "only_torch": [unit.path for unit in weight_map.lone_torch],
    }
    write_atomically(path, json.dumps(document, indent=1) + "\n")


def _array(link: ArrayPairing) -> dict[str, Any]:
    found: dict[str, Any] = {"flax": link.role, "torch": link.torch_role, "shape": link.shape}
    for side, packing in (("flax", link.flax), ("torch", link.torch)):
        for name in ("reshaped", "transposed"):
            if (value := getattr(packing, name)) is not None:
                found[f"{side}_{name}"] = value
    if offset := link.torch.parts[0].offset:
        found["offset"] = offset
    return found


def read(path: str | Path, flax: Sequence[Unit], torch: Sequence[Unit], shapes: tuple[Shapes, Shapes]) -> WeightMap:
    """The map of a file, for these networks.

    Args:
        path: of the file.
        flax, torch: the units of both.
        shapes: of the native arrays of both.

    Raises:
        UsageError: the file is not a map, names a layer or array that is not there or there twice, or shapes differ.
    """
    left = {"flax": _by_path(flax, shapes[0]), "torch": _by_path(torch, shapes[1])}
    bonds = [_bond(path, pair, left) for pair in _pairs(path)]
    bonds.sort(key=lambda one: one.flax.order)
    rest = {side: tuple(one.unit for found in holders.values() for one in found) for side, holders in left.items()}
    return WeightMap(tuple(bonds), rest["flax"], rest["torch"])


def _pairs(path: str | Path) -> list[Any]:
    return documents.read(Path(path), Document, "name a weight map that --map-out wrote")["pairs"]


Left = dict[str, dict[str, list[ShapedUnit]]]


def _by_path(units: Sequence[Unit], shapes: Shapes) -> dict[str, list[ShapedUnit]]:
    found: dict[str, list[ShapedUnit]] = {}
    for unit in units:
        found.setdefault(unit.path, []).append(with_shapes(unit, shapes))
    return found


def _bond(path: str | Path, pair: Mapping[str, Any], left: Left) -> LayerPairing:
    arrays = pair["arrays"]
    a, b = (_take(path, left[side], side, pair[side], [array[side] for array in arrays]) for side in left)
    links = tuple(_link(path, a, b, array) for array in arrays)
    return replace(pair_units(a, b), arrays=links, lone_flax=(), lone_torch=())


def _take(path: str | Path, holders: dict[str, list[ShapedUnit]], side: str, name: str, roles: list[str]) -> ShapedUnit:
    """The layer, or of a custom one those of its arrays that are asked for; they are then no longer there."""
    if name not in holders:
        raise unknown_name(f"layer of {side} in {path} (or it is there twice)", name, holders)
    for place, one in enumerate(holders[name]):
        if all(role in one.shapes for role in roles):
            rest = {role: shape for role, shape in one.shapes.items() if role not in roles}
            holders[name].pop(place)
            if rest:
                kept = {role: one.unit.arrays[role] for role in rest}
                holders[name].append(ShapedUnit(replace(one.unit, arrays=kept), rest))
            if not holders[name]:
                del holders[name]
            return one
    known = [role for one in holders[name] for role in one.shapes]
    raise unknown_name(f"array of {side}'s {name} in {path}", ", ".join(roles), known)


def _link(path: str | Path, a: ShapedUnit, b: ShapedUnit, array: Mapping[str, Any]) -> ArrayPairing:
    flax = _fitted(a.unit.arrays[array["flax"]], array, "flax")
    torch = _fitted(b.unit.arrays[array["torch"]], array, "torch")
    if offset := array.get("offset"):
        torch = replace(torch, parts=tuple(replace(part, offset=float(offset)) for part in torch.parts))
    shapes = _shape(path, flax, a, array, "flax"), _shape(path, torch, b, array, "torch")
    if shapes[0] != shapes[1]:
        raise UsageError(
            f"{path}: {a.unit.path} {array['flax']} {shapes[0]} is not of the shape of {b.unit.path} {array['torch']} "
            f"{shapes[1]}; pair other layers, or say torch_transposed"
        )
    return ArrayPairing(array["flax"], shapes[0], flax, torch, torch_role=array["torch"])


def _fitted(packing: Packing, array: Mapping[str, Any], side: str) -> Packing:
    found = {name: array.get(f"{side}_{name}") for name in ("reshaped", "transposed")}
    reshaped, transposed = (None if value is None else tuple(value) for value in found.values())
    return replace(packing, reshaped=reshaped, transposed=transposed)


def _shape(path: str | Path, packing: Packing, one: ShapedUnit, array: Mapping[str, Any], side: str) -> tuple[int, ...]:
    bare = replace(packing, reshaped=None, transposed=None)
    try:
        return packing.fit(one.shapes[array[side]]) if packing != bare else one.shapes[array[side]]
    except ValueError as error:
        raise UsageError(f"{path}: {one.unit.path} {array[side]} cannot be reshaped so ({error})") from error
