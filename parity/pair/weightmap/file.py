"""The weight map as a file that a person can edit: which layers are one, and how their arrays fit.

Each array of a pair names a role of a layer on both sides and, in the order in which they are done, what makes the two
the same: `SIDE_reshaped`, `SIDE_transposed`, `SIDE_cut` (for each of the first axes null for all of it, one place, or
[first, one after the last]), `SIDE_cut_reshaped`, `SIDE_cut_transposed`, `SIDE_flipped` (axes), and `offset`, which is
added to PyTorch's. An array that one side has in pieces is named once for each piece, with the cut that is that piece.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Len, MinLen
from typing_extensions import TypedDict

from parity import documents
from parity.files import write_atomically
from parity.interface.packing import Packing
from parity.interface.unit import Unit
from parity.pair.weightmap.file_reader import FIELDS, Reader
from parity.pair.weightmap.pairing.pairings import ArrayPairing, WeightMap
from parity.pair.weightmap.pairing.signatures import Shapes

FORMAT = "netparity-map/1"
Cut = list[int | Annotated[list[int], Len(2, 2)] | None]


class Array(TypedDict):
    """Two arrays that are one, and how they fit."""

    flax: str
    torch: str
    flax_reshaped: NotRequired[list[int]]
    flax_transposed: NotRequired[list[int]]
    flax_cut: NotRequired[Cut]
    flax_cut_reshaped: NotRequired[list[int]]
    flax_cut_transposed: NotRequired[list[int]]
    flax_flipped: NotRequired[list[int]]
    torch_reshaped: NotRequired[list[int]]
    torch_transposed: NotRequired[list[int]]
    torch_cut: NotRequired[Cut]
    torch_cut_reshaped: NotRequired[list[int]]
    torch_cut_transposed: NotRequired[list[int]]
    torch_flipped: NotRequired[list[int]]
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

    Args:
        weight_map: The map.
        path: The path of the file.

    Raises:
        UsageError: The file cannot be written.
    """
    entries = [(layer, [_array(a) for a in layer.arrays if a.tie is None]) for layer in weight_map.layers]
    pairs = [{"flax": a.flax.path, "torch": a.torch.path, "arrays": arrays} for a, arrays in entries if arrays]
    document = {
        "format": FORMAT,
        "pairs": pairs,
        "only_flax": [unit.path for unit in weight_map.lone_flax],
        "only_torch": [unit.path for unit in weight_map.lone_torch],
    }
    write_atomically(path, json.dumps(document, indent=1) + "\n")


def _array(array: ArrayPairing) -> dict[str, Any]:
    entry: dict[str, Any] = {"flax": array.role, "torch": array.torch_role, "shape": array.shape}
    for side, packing in (("flax", array.flax), ("torch", array.torch)):
        entry |= {f"{side}_{name}": value for name, value in _steps(packing).items()}
    if offset := array.torch.parts[0].offset:
        entry["offset"] = offset
    return entry


def _steps(packing: Packing) -> dict[str, Any]:
    """What is done to the joined array, by the file's names for it."""
    steps = {name: getattr(packing, field) for name, field in FIELDS.items()}
    return {name: value for name, value in steps.items() if value not in (None, ())}


def read(path: str | Path, flax: Sequence[Unit], torch: Sequence[Unit], shapes: tuple[Shapes, Shapes]) -> WeightMap:
    """The map of a file, for these networks.

    Args:
        path: The path of the file.
        flax, torch: The units of both sides.
        shapes: The shapes of Flax's native arrays and of PyTorch's.

    Raises:
        UsageError: The file is not a map, names a layer or array that is not there or there twice, shapes differ, or
            the pieces of an array do not cover it once.
    """
    document: Mapping[str, Any] = documents.read(Path(path), Document, "name a weight map that --map-out wrote")
    reader = Reader(str(path), {"flax": (flax, shapes[0]), "torch": (torch, shapes[1])})
    layers = sorted((reader.layer(pair) for pair in document["pairs"]), key=lambda layer: layer.flax.order)
    return WeightMap(tuple(layers), *reader.rest())
