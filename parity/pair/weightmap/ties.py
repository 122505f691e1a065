"""Arrays that one side ties and the other has twice, such as a head's kernel and the table of an embedding."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from parity.interface.packing import Packing
from parity.interface.side import FRAMEWORKS, Side
from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, Tie, WeightMap
from parity.pair.weightmap.pairing.signatures import Shape

Sides = Mapping[str, Side]
"""Both sides by name, "flax" and "torch"."""


def with_ties(weight_map: WeightMap, sides: Sides) -> WeightMap | None:
    """The map in which every array that only one side has, and that fits a table or belongs to one, is held by the
    array that the other side has for both.

    Args:
        weight_map: The map without ties.
        sides: Both sides.

    Returns:
        The map, or None if no array of the kind is left over.
    """
    shapes = {name: {n: array.shape for n, array in side.native.items()} for name, side in sides.items()}
    with_tied = weight_map
    for side, other in (("flax", "torch"), ("torch", "flax")):
        for unit, role in _left_over(weight_map, side):
            if not sides[side].declared.issuperset(unit.arrays[role].names):
                continue  # a table that is no weight
            shape = unit.arrays[role].shape(shapes[side])
            for layer, first in weight_map.arrays:
                if (transposed := _is_transposed(role, shape, first)) is not None:
                    tie = Tie(other, first, transposed)
                    holder = _tied_unit(sides[other], getattr(layer, other), unit, role, tie)
                    with_tied = _with_array(with_tied, holder, unit, role, tie, shape)
                    break
    return None if with_tied is weight_map else with_tied


def _left_over(weight_map: WeightMap, side: str) -> Iterator[tuple[Unit, str]]:
    """The units of one side, each with a role of theirs, that the other side does not have."""
    for unit in getattr(weight_map, f"lone_{side}"):
        yield from ((unit, role) for role in unit.arrays)
    for layer in weight_map.layers:
        yield from ((getattr(layer, side), role) for role in getattr(layer, f"lone_{side}"))


def _is_transposed(role: str, shape: Shape, first: ArrayPairing) -> bool | None:
    """Whether an array can be tied to a paired one transposed (True), as it is (False), or not at all (None)."""
    packings = first.torch, first.flax
    plain = all(packing.transposed is None and not packing.cut for packing in packings)
    if len(shape) != 2 or len(first.shape) != 2 or "table" not in (role, first.role) or not plain:
        return None
    if "kernel" in (role, first.role):
        return True if shape == first.shape[::-1] else None
    return False if shape == first.shape else True if shape == first.shape[::-1] else None


def _tied_unit(side: Side, owner: Unit, unit: Unit, role: str, tie: Tie) -> Unit:
    """What the side that ties has in the place of a layer with an array of its own.

    Args:
        side: The side that ties.
        owner: Its unit that holds the first array.
        unit: The other side's unit with the second array.
        role: The role of the second array.
        tie: How the two belong together.
    """
    packing: Packing = getattr(tie.of, tie.side)
    packing = replace(packing, transposed=(1, 0)) if tie.transposed else packing
    declared = (second for second, first in side.ties.items() if tie.transposed and first in packing.names)
    path = next((second.replace("/", ".").rpartition(".")[0] for second in declared), "")
    return Unit(path or f"{owner.path} (tied)", unit.kind, {role: packing}, order=unit.order, type=owner.type)


def _with_array(weight_map: WeightMap, holder: Unit, unit: Unit, role: str, tie: Tie, shape: Shape) -> WeightMap:
    """The map with the second array: in the pairing that its layer is in, else in a new one."""
    side = _other(tie.side)
    units, lone = {side: unit, tie.side: holder}, f"lone_{side}"
    flax, torch = units["flax"], units["torch"]
    array = ArrayPairing(role, shape, flax.arrays[role], torch.arrays[role], torch_role=role, tie=tie)
    layers = list(weight_map.layers)
    for place, layer in enumerate(layers):
        if getattr(layer, side).path == unit.path and role in getattr(layer, lone):
            layers[place] = replace(_without_lone(layer, lone, role), arrays=(*layer.arrays, array))
            return replace(weight_map, layers=tuple(layers))
    rest = {lone: tuple(other for other in unit.arrays if other != role)}
    layers.append(LayerPairing(flax, torch, (array,), rest.get("lone_flax", ()), rest.get("lone_torch", ())))
    layers.sort(key=lambda layer: layer.flax.order)
    return replace(
        weight_map,
        layers=tuple(layers),
        lone_flax=tuple(other for other in weight_map.lone_flax if other is not unit),
        lone_torch=tuple(other for other in weight_map.lone_torch if other is not unit),
    )


def _without_lone(layer: LayerPairing, lone: str, role: str) -> LayerPairing:
    """The pairing, one of whose lone arrays has found a counterpart."""
    rest = tuple(other for other in getattr(layer, lone) if other != role)
    return replace(layer, lone_flax=rest) if lone == "lone_flax" else replace(layer, lone_torch=rest)


def declared(weight_map: WeightMap, sides: Sides) -> bool:
    """Whether the sides themselves say of all these ties that they tie the arrays."""
    ties = [(array, array.tie.side) for array in tied(weight_map) if array.tie is not None]
    return all(set(getattr(array, side).names) & set(sides[side].ties.values()) for array, side in ties)


def tied(weight_map: WeightMap) -> list[ArrayPairing]:
    """The arrays that only one side has a second time."""
    return [array for _, array in weight_map.arrays if array.tie is not None]


def clashes(weight_map: WeightMap, giver: str, native: Mapping[str, NDArray]) -> list[str]:
    """The arrays that the receiving side ties and that hold different numbers on the giving one, in words.

    Args:
        weight_map: The map.
        giver: The side whose numbers are carried over, "flax" or "torch".
        native: The native arrays of that side.
    """
    words = []
    for array in tied(weight_map):
        assert array.tie is not None
        if array.tie.side != giver:
            first, second = getattr(array.tie.of, giver), getattr(array, giver)
            if not np.array_equal(array.tie.turn(first.read(native)), second.read(native)):
                words.append(f"{' + '.join(second.names)} and {' + '.join(first.names)}")
    return words


def whose(array: ArrayPairing) -> str:
    """Which side ties the array, and what follows from it, in words."""
    assert array.tie is not None
    ties, unties = FRAMEWORKS[array.tie.side], FRAMEWORKS[_other(array.tie.side)]
    return f"tied in {ties}, untied in {unties}: the function is the same, but two arrays train otherwise than one"


def held(array: ArrayPairing) -> str:
    """Which two arrays of the other side the tied array is, in words."""
    assert array.tie is not None
    side = _other(array.tie.side)
    first, second = (" + ".join(getattr(pairing, side).names) for pairing in (array.tie.of, array))
    whole = " + ".join(getattr(array, array.tie.side).names)
    return f"{FRAMEWORKS[array.tie.side]}'s {whole} is {FRAMEWORKS[side]}'s {first} and {second}"


def _other(side: str) -> str:
    return "flax" if side == "torch" else "torch"
