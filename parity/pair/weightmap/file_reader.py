"""Reads the pairs of a weight map's file: finds the layers that they name, and fits their arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.errors import UsageError, unknown_name
from parity.interface.packing import Packing
from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.pairings import ArrayPairing, ArrayPiece, LayerPairing
from parity.pair.weightmap.pairing.readings import pair_units
from parity.pair.weightmap.pairing.signatures import Shape, ShapedUnit, Shapes, with_shapes

FIELDS = {
    "reshaped": "reshaped",
    "transposed": "transposed",
    "cut": "cut",
    "cut_reshaped": "shape_after",
    "cut_transposed": "axes_after",
    "flipped": "flip",
}
"""The file's name of what is done to a joined array → the field of the packing."""
Entry = Mapping[str, Any]


class Reader:
    """The layers of both networks that a map's file has not named yet.

    Args:
        path: The path of the file, for messages.
        sides: "flax" and "torch" → the units and the shapes of the native arrays.
    """

    def __init__(self, path: str, sides: Mapping[str, tuple[Sequence[Unit], Shapes]]) -> None:
        self._path = path
        self._left = {side: _by_path(*units) for side, units in sides.items()}
        self._pieces: dict[tuple[str, str, str], list[Packing]] = {}
        self._whole: dict[tuple[str, str, str], ShapedUnit] = {}

    def layer(self, pair: Entry) -> LayerPairing:
        """The pairing that an entry of the file names; what it names is then no longer there.

        Raises:
            UsageError: A layer or an array is not there or there twice, or shapes differ.
        """
        entries = pair["arrays"]
        flax, torch = (self._named(side, pair[side], entries) for side in ("flax", "torch"))
        arrays = tuple(self._array(flax, torch, entry) for entry in entries)
        piece = self._piece(pair, entries)
        return replace(pair_units(flax, torch), arrays=arrays, lone_flax=(), lone_torch=(), piece=piece)

    def rest(self) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        """The units of Flax and of PyTorch that no entry named.

        Raises:
            UsageError: The pieces of an array do not cover it once.
        """
        for key, packings in self._pieces.items():
            self._require_cover(key, packings)
        flax, torch = (
            tuple(unit.unit for units in self._left[side].values() for unit in units) for side in ("flax", "torch")
        )
        return flax, torch

    def _piece(self, pair: Entry, entries: Sequence[Entry]) -> ArrayPiece | None:
        """How the pairing is a piece, if one side's arrays are cut."""
        for side in ("torch", "flax"):
            if any(entry.get(f"{side}_cut") for entry in entries):
                number = len(self._pieces[side, pair[side], entries[0][side]]) - 1
                return ArrayPiece(side, number, f"{side} {pair[side]} {number}")
        return None

    def _named(self, side: str, name: str, entries: Sequence[Entry]) -> ShapedUnit:
        """The layer, or of a custom one those of its arrays that are asked for."""
        cut = [entry[side] for entry in entries if entry.get(f"{side}_cut")]
        known = [(side, name, role) for role in cut if (side, name, role) in self._whole]
        if cut and len(known) == len(entries):
            return self._whole[known[0]]
        unit = self._taken(side, name, [entry[side] for entry in entries])
        self._whole |= {(side, name, role): unit for role in cut}
        return unit

    def _taken(self, side: str, name: str, roles: list[str]) -> ShapedUnit:
        left = self._left[side]
        if name not in left:
            raise unknown_name(f"layer of {side} in {self._path} (or it is there twice)", name, left)
        for place, unit in enumerate(left[name]):
            if all(role in unit.shapes for role in roles):
                left[name].pop(place)
                rest = {role: shape for role, shape in unit.shapes.items() if role not in roles}
                if rest:
                    kept = {role: unit.unit.arrays[role] for role in rest}
                    left[name].append(ShapedUnit(replace(unit.unit, arrays=kept), rest))
                if not left[name]:
                    del left[name]
                return unit
        known = [role for unit in left[name] for role in unit.shapes]
        raise unknown_name(f"array of {side}'s {name} in {self._path}", ", ".join(roles), known)

    def _array(self, flax: ShapedUnit, torch: ShapedUnit, entry: Entry) -> ArrayPairing:
        packings = {side: self._fitted(unit, entry, side) for side, unit in (("flax", flax), ("torch", torch))}
        if offset := entry.get("offset"):
            parts = (replace(part, offset=float(offset)) for part in packings["torch"].parts)
            packings["torch"] = replace(packings["torch"], parts=tuple(parts))
        ours, theirs = (self._shape(packings[s], unit, entry, s) for s, unit in (("flax", flax), ("torch", torch)))
        if ours != theirs:
            raise UsageError(
                f"{self._path}: {flax.unit.path} {entry['flax']} {ours} is not of the shape of {torch.unit.path} "
                f"{entry['torch']} {theirs}; pair other layers, or say torch_transposed"
            )
        return ArrayPairing(entry["flax"], ours, packings["flax"], packings["torch"], torch_role=entry["torch"])

    def _fitted(self, unit: ShapedUnit, entry: Entry, side: str) -> Packing:
        steps = {field: _tuple(entry.get(f"{side}_{name}")) for name, field in FIELDS.items()}
        packing = replace(
            unit.unit.arrays[entry[side]],
            **{**steps, "cut": steps["cut"] or (), "flip": steps["flip"] or ()},
        )
        if packing.cut:
            self._pieces.setdefault((side, unit.unit.path, entry[side]), []).append(packing)
        return packing

    def _shape(self, packing: Packing, unit: ShapedUnit, entry: Entry, side: str) -> Shape:
        try:
            return packing.fit(unit.shapes[entry[side]])
        except (ValueError, IndexError) as error:
            raise UsageError(f"{self._path}: {unit.unit.path} {entry[side]} cannot be reshaped so ({error})") from error

    def _require_cover(self, key: tuple[str, str, str], packings: Sequence[Packing]) -> None:
        """Raise UsageError unless the pieces of an array hold each of its numbers once."""
        side, name, role = key
        shape = self._whole[key].shapes[role]
        held = np.zeros(shape, np.int64)
        for packing in packings:
            part = Packing((), reshaped=packing.reshaped, transposed=packing.transposed, cut=packing.cut)
            held.ravel()[part.places(shape)] += 1
        if not (held == 1).all():
            raise UsageError(
                f"{self._path}: the pieces of {side}'s {name} {role} {shape} hold {int((held == 0).sum())} of its "
                f"numbers not at all and {int((held > 1).sum())} more than once; cut it into pieces that hold each once"
            )


def _by_path(units: Sequence[Unit], shapes: Shapes) -> dict[str, list[ShapedUnit]]:
    paths: dict[str, list[ShapedUnit]] = {}
    for unit in units:
        paths.setdefault(unit.path, []).append(with_shapes(unit, shapes))
    return paths


def _tuple(value: Any) -> Any:
    """Lists, also those in them, as tuples."""
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
