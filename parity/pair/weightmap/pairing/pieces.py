"""An array that one side holds whole and the other in pieces: how it can be cut, and the pairings of the pieces.

One projection for queries, keys and values, tables in chunks, experts in a list beside a stacked array: all are one
array that is cut along one axis, into consecutive ranges or into ranges that alternate head by head.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import gcd, prod

from parity.interface.packing import Packing
from parity.pair.weightmap.pairing.pairings import ArrayPiece, LayerPairing
from parity.pair.weightmap.pairing.readings import pair_units, readings_of
from parity.pair.weightmap.pairing.signatures import Shape, ShapedUnit, sizes

MOST_PERMUTED = 3
"""So many pieces are tried in every order; more only as they are and backwards."""
TURNS = 2
"""A piece of a module of no known kind may be read as it is or, where its shape allows it, transposed."""


@dataclass(frozen=True)
class Entry:
    """One array of one unit.

    Args:
        unit: The unit.
        role: The array's role.
    """

    unit: ShapedUnit
    role: str

    @property
    def shape(self) -> Shape:
        """The canonical shape."""
        return self.unit.shapes[self.role]

    @property
    def is_table(self) -> bool:
        """Whether the array is not trained."""
        return self.role in self.unit.tables

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        return prod(self.shape)

    @property
    def place(self) -> tuple[str, str]:
        """The path of the unit and the role: what tells arrays of one side apart."""
        return self.unit.unit.path, self.role


@dataclass(frozen=True)
class Split:
    """An array of one side, and the arrays of the other that are its pieces.

    Args:
        whole: The array.
        parts: The pieces in the order in which they are likely to be joined.
        axis: The axis of the whole along which they are joined.
    """

    whole: Entry
    parts: tuple[Entry, ...]
    axis: int

    @property
    def lengths(self) -> list[int]:
        """How long each piece is along the axis."""
        return [self.whole.shape[self.axis] * part.size // self.whole.size for part in self.parts]


def fitting_axis(whole: Entry, parts: Sequence[Entry]) -> int | None:
    """The axis of an array along which others can be joined to be it; None if there is none."""
    if sum(part.size for part in parts) != whole.size:
        return None
    for axis, length in enumerate(whole.shape):
        pieces = [length * part.size / whole.size for part in parts]
        shapes = [(*whole.shape[:axis], int(piece), *whole.shape[axis + 1 :]) for piece in pieces]
        if all(piece.is_integer() for piece in pieces) and all(
            sizes(shape) == sizes(part.shape) for shape, part in zip(shapes, parts, strict=True)
        ):
            return axis
    return None


def pair_pieces(splits: Sequence[Split], whole: str, group: str) -> list[LayerPairing]:
    """The pairings of the pieces of some arrays that may be exchanged for each other, with all readings of them.

    Args:
        splits: Splits of equal arrays into equally many equal parts; one alone, or those of one module.
        whole: The side that holds the arrays whole, "flax" or "torch".
        group: The name of what is read alike.
    """
    readings = dict(_readings(splits, whole))
    first = next(iter(readings.values()))
    number = {place: count for count, place in enumerate(first)}
    return [
        replace(layer, piece=ArrayPiece(whole, number[place] % len(splits[0].parts), group, _of(readings, place)))
        for place, layer in first.items()
    ]


Pairings = dict[tuple[str, str], LayerPairing]


def _of(readings: Mapping[str, Pairings], place: tuple[str, str]) -> dict[str, LayerPairing]:
    return {name: layers[place] for name, layers in readings.items()}


def _readings(splits: Sequence[Split], whole: str) -> Iterator[tuple[str, Pairings]]:
    """Names of readings, and the pairing of each part with them; the likeliest first."""
    first = splits[0]
    every = [
        (deviations, name, exchange, order, heads, turn)
        for exchange in permutations(range(len(splits)))
        for order in _orders(len(first.parts))
        for heads in _heads(first)
        for turn in range(_turns(splits))
        for deviations, name in [_name(exchange, order, heads, turn)]
    ]
    for _, name, exchange, order, heads, turn in sorted(every, key=lambda reading: reading[0]):
        layers: Pairings = {}
        for split, held in zip(splits, exchange, strict=True):
            layers |= _cut(replace(split, whole=splits[held].whole), order, heads, turn, whole)
        yield name, layers


def _turns(splits: Sequence[Split]) -> int:
    """A piece of a module of no known kind may be read in several ways as its part; one of a known kind in one."""
    free = any(entry.unit.is_custom for split in splits for entry in (split.whole, *split.parts))
    return TURNS if free else 1


def _name(exchange: Sequence[int], order: Sequence[int], heads: int, turn: int) -> tuple[int, str]:
    """How far a reading is from the likeliest one, and its name."""
    odd = (list(exchange) != sorted(exchange), list(order) != sorted(order), heads > 1, turn > 0)
    arrays = f"arrays {', '.join(map(str, exchange))}; " if len(exchange) > 1 else ""
    by = f" in each of {heads} groups" if heads > 1 else ""
    return sum(odd), f"{arrays}pieces {', '.join(map(str, order))}{by}{' transposed' if turn else ''}"


def _orders(count: int) -> list[tuple[int, ...]]:
    plain = tuple(range(count))
    return list(permutations(plain)) if count <= MOST_PERMUTED else [plain, plain[::-1]]


def _heads(split: Split) -> list[int]:
    """Into how many groups the axis may be divided, each of which holds all pieces: one, the heads, or others."""
    common = gcd(*split.lengths)
    units = [split.whole.unit.unit, *(part.unit.unit for part in split.parts)]
    known = {unit.settings["heads"] for unit in units if unit.settings.get("heads")}
    divisors = [count for count in range(2, common + 1) if common % count == 0]
    return [1, *sorted(divisors, key=lambda count: count not in known)]


def _cut(split: Split, order: Sequence[int], heads: int, turn: int, whole: str) -> Pairings:
    """The pairing of each part with the piece of the whole that it is.

    Args:
        split: The array and its parts.
        order: The places of the parts in the order in which they are joined.
        heads: The number of groups into which the axis is divided.
        turn: Which of the readings of a piece as the part is taken.
        whole: The side that holds the array whole.
    """
    lengths, layers, start = split.lengths, {}, 0
    for place in order:
        stop = start + lengths[place] // heads
        part, piece = split.parts[place], _piece(split.whole, split.axis, heads, (start, stop))
        only = part.unit.only(part.role)
        flax, torch = (piece, only) if whole == "flax" else (only, piece)
        layers[part.place] = _turned(pair_units(flax, torch), flax, torch, turn)
        start = stop
    return {part.place: layers[part.place] for part in split.parts}


def _piece(whole: Entry, axis: int, heads: int, span: tuple[int, int]) -> ShapedUnit:
    """A unit with nothing but one piece of an array.

    Args:
        whole: The array.
        axis: The axis that is cut.
        heads: The number of groups into which the axis is divided.
        span: The first place of the piece in each group, and the one after its last.
    """
    before, after = whole.shape[:axis], whole.shape[axis + 1 :]
    shape = (*before, heads * (span[1] - span[0]), *after)
    inner = (*before, heads, whole.shape[axis] // heads, *after)
    packing: Packing = whole.unit.unit.arrays[whole.role]
    if heads > 1:
        packing = replace(packing, reshaped=inner, cut=(*(None,) * (axis + 1), span), shape_after=shape)
    else:
        packing = replace(packing, cut=(*(None,) * axis, span))
    unit = replace(whole.unit.unit, arrays={whole.role: packing})
    return ShapedUnit(unit, {whole.role: shape})


def _turned(layer: LayerPairing, flax: ShapedUnit, torch: ShapedUnit, turn: int) -> LayerPairing:
    """The pairing of single arrays with one of the ways in which PyTorch's can be read as Flax's."""
    (array,) = layer.arrays
    ways = readings_of(flax, torch, array.role, array.torch_role)
    return replace(layer, arrays=(replace(array, torch=ways[turn % len(ways)], others=()),))
