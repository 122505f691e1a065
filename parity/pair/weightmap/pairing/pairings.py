"""The weight map as data: which layers of two networks are one, and how each side's arrays hold the same numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from parity.interface.packing import Packing
from parity.interface.trace import Arrays
from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.names import telling_words


@dataclass(frozen=True)
class Tie:
    """One side holds two canonical arrays in one native array, such as an embedding's table and a head's kernel.

    Args:
        side: The side that ties, "flax" or "torch".
        of: The pairing of the first of the two arrays.
        transposed: Whether the second array is the first one transposed.
    """

    side: str
    of: "ArrayPairing"
    transposed: bool

    def turn(self, first: NDArray) -> NDArray:
        """The second array made of the first one, or the first made of the second: both ways are the same step."""
        return first.T if self.transposed else first


@dataclass(frozen=True)
class ArrayPairing:
    """One canonical array and how the native arrays of each side hold it.

    Args:
        role: The name of the array in Flax's unit, such as "kernel".
        shape: The canonical shape; both packings read an array of it.
        flax, torch: How each side's native arrays hold the array.
        others: Other packings of PyTorch's arrays that have the shape too and may be the right ones.
        torch_role: The name of the array in PyTorch's unit.
        tie: Set where one side holds the array inside the array of another pairing.
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
        flax, torch: The two units.
        arrays: The canonical arrays that both units hold.
        lone_flax, lone_torch: Roles of the arrays that only one of the two has.
        piece: Set where one side holds the arrays as a piece of a larger one.
    """

    flax: Unit
    torch: Unit
    arrays: tuple[ArrayPairing, ...]
    lone_flax: tuple[str, ...] = ()
    lone_torch: tuple[str, ...] = ()
    piece: "ArrayPiece | None" = None

    def array_name(self, array: ArrayPairing) -> str:
        """The canonical name of one of the arrays: the path of PyTorch's layer and the role; of a piece PyTorch's own
        role, and its number where PyTorch's layer holds several in one."""
        number = f"[{self.piece.number}]" if self.piece is not None and self.piece.whole == "torch" else ""
        role = array.role if self.piece is None else array.torch_role
        return f"{self.torch.path}.{role}{number}" if self.torch.path else f"{role}{number}"


@dataclass(frozen=True)
class ArrayPiece:
    """How a pairing is a piece of an array that one side holds whole.

    Args:
        whole: The side that holds it whole, "flax" or "torch".
        number: The number of the piece among those of the array.
        group: Pairings of one group are read alike: the same pieces of every block.
        readings: The name of a reading of the whole group → the pairing with it.
    """

    whole: str
    number: int
    group: str
    readings: Mapping[str, LayerPairing] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class WeightMap:
    """All pairings of layers, and what is left over.

    Args:
        layers: The pairings in the order in which Flax runs the layers.
        lone_flax, lone_torch: Units that only one side has.
        others: What other ways of pairing layers go by → the map that each gives, where that is another one.
    """

    layers: tuple[LayerPairing, ...]
    lone_flax: tuple[Unit, ...] = ()
    lone_torch: tuple[Unit, ...] = ()
    others: Mapping[str, "WeightMap"] = field(default_factory=dict)

    @property
    def arrays(self) -> Iterator[tuple[LayerPairing, ArrayPairing]]:
        """Every canonical array, each with the pairing of its layers."""
        return ((layer, array) for layer in self.layers for array in layer.arrays)

    def lone(self, side: str) -> Iterator[tuple[str, Packing]]:
        """The arrays that only that side has, "flax" or "torch", each with its role."""
        for unit in self.lone_flax if side == "flax" else self.lone_torch:
            yield from unit.arrays.items()
        for layer in self.layers:
            unit, roles = (layer.flax, layer.lone_flax) if side == "flax" else (layer.torch, layer.lone_torch)
            yield from ((role, unit.arrays[role]) for role in roles)

    def tied_to(self, first: ArrayPairing) -> list[tuple[LayerPairing, ArrayPairing]]:
        """The arrays that one side holds inside the array of this pairing, each with the pairing of its layers."""
        return [(layer, array) for layer, array in self.arrays if array.tie is not None and array.tie.of == first]


def crossed_names(weight_map: WeightMap) -> list[str]:
    """A note on all layers that go by the same names on both sides, and are paired against these."""
    layers = weight_map.layers
    notes = []
    for cycle in crossed_layers(weight_map):
        (first, partner), *rest = ((layers[number].flax.path, layers[number].torch.path) for number in cycle)
        others = "".join(f", and {ours} is {theirs}" for ours, theirs in rest)
        notes.append(f"{first} of Flax is {partner} of PyTorch{others}, against their names")
    return notes


def crossed_layers(weight_map: WeightMap) -> list[list[int]]:
    """The numbers of layers that are paired against their names, those of each circle together: the one whose name
    PyTorch's layer has comes next, and the last has the first one's."""
    paths: dict[tuple[str, ...], set[str]] = {}
    for layer in weight_map.layers:
        paths.setdefault(telling_words(layer.flax.path), set()).add(layer.flax.path)
    words = [telling_words(layer.flax.path) for layer in weight_map.layers]
    ours = {name: number for number, name in enumerate(words) if len(paths[name]) == 1}
    following = {number: ours.get(telling_words(layer.torch.path)) for number, layer in enumerate(weight_map.layers)}
    cycles: list[list[int]] = []
    for start in following:
        cycle: list[int] = []
        at: int | None = start
        while at is not None and at not in cycle:
            cycle.append(at)
            at = following[at]
        if at == start == min(cycle) and len(cycle) > 1:
            cycles.append(cycle)
    return cycles


def turned_arrays(weight_map: WeightMap, flax: Arrays, torch: Arrays) -> list[str]:
    """A note on each array that goes by one name and has one shape on both sides, and is not read as it lies: weights
    that are copied by their names would give another function.

    Args:
        weight_map: The map.
        flax, torch: Each side's native arrays.
    """
    return [
        f"{array.torch.names[0]} of PyTorch is {array.flax.names[0]} of Flax with its numbers in another order "
        "(--show-map says which): weights that are copied by name would give another function"
        for _, array in weight_map.arrays
        if _goes_by_one_name(array) and not _lies_alike(array, flax, torch)
    ]


def _goes_by_one_name(array: ArrayPairing) -> bool:
    flax, torch = array.flax.names, array.torch.names
    return len(flax) == len(torch) == 1 and last_part(flax[0]) == last_part(torch[0])


def last_part(name: str) -> str:
    """The last part of a native name: "kernel" of "layers/0/kernel"."""
    return name.replace("/", ".").rpartition(".")[2]


def _lies_alike(array: ArrayPairing, flax: Arrays, torch: Arrays) -> bool:
    """Whether the two native arrays, if they have one shape, hold the same numbers in the same places."""
    ours, theirs = array.flax.names[0], array.torch.names[0]
    shape = flax[ours].shape
    numbers = np.arange(float(np.prod(shape))).reshape(shape)
    if torch[theirs].shape != shape:
        return True
    return np.array_equal(array.flax.read({ours: numbers}), array.torch.read({theirs: numbers}))
