"""Arrays that one side ties and the other has twice, such as a head's kernel and the table of an embedding."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from parity.interface.packing import Packing
from parity.interface.side import FRAMEWORKS, Side
from parity.interface.unit import Unit
from parity.pair.weightmap.match import ArrayPairing, LayerPairing, Tie, WeightMap

Sides = Mapping[str, Side]


def with_ties(found: WeightMap, sides: Sides) -> WeightMap | None:
    """The map in which every array that only one side has, and that fits a table or belongs to one, is held by the
    array that the other side has for both. None if there is none.

    Args:
        found: the map without.
        sides: "flax" and "torch".
    """
    shapes = {name: {n: a.shape for n, a in side.native.items()} for name, side in sides.items()}
    tied = found
    for side, other in (("flax", "torch"), ("torch", "flax")):
        for unit, role in _lone(found, side):
            if not sides[side].declared.issuperset(unit.arrays[role].names):
                continue  # a table that is no weight
            shape = unit.arrays[role].shape(shapes[side])
            for of_bond, of in found.links:
                if (transposed := _fits(role, shape, of)) is not None:
                    tie = Tie(other, of, transposed)
                    tied = _added(tied, unit, role, tie, _holder(sides[other], of_bond, other, unit, role, tie), shape)
                    break
    return None if tied is found else tied


def _lone(found: WeightMap, side: str) -> Iterator[tuple[Unit, str]]:
    """Units and the roles of theirs that the other side has not."""
    for unit in getattr(found, f"lone_{side}"):
        yield from ((unit, role) for role in unit.arrays)
    for bond in found.bonds:
        yield from ((getattr(bond, side), role) for role in getattr(bond, f"lone_{side}"))


def _fits(role: str, shape: tuple[int, ...], of: ArrayPairing) -> bool | None:
    """Whether an array is a table's, transposed or not; None if it is none."""
    plain = of.torch.transposed is None and of.flax.transposed is None
    if len(shape) != 2 or len(of.shape) != 2 or "table" not in (role, of.role) or not plain:
        return None
    if "kernel" in (role, of.role):
        return True if shape == of.shape[::-1] else None
    return False if shape == of.shape else True if shape == of.shape[::-1] else None


def _holder(side: Side, of_bond: LayerPairing, name: str, unit: Unit, role: str, tie: Tie) -> Unit:
    """What the side that ties has in the place of a layer with an array of its own."""
    packing: Packing = getattr(tie.of, name)
    packing = replace(packing, transposed=(1, 0)) if tie.transposed else packing
    declared = (second for second, first in side.ties.items() if tie.transposed and first in packing.names)
    path = next((second.replace("/", ".").rpartition(".")[0] for second in declared), "")
    owner: Unit = getattr(of_bond, name)
    return Unit(path or f"{owner.path} (tied)", unit.kind, {role: packing}, order=unit.order, type=owner.type)


def _added(found: WeightMap, unit: Unit, role: str, tie: Tie, holder: Unit, shape: tuple[int, ...]) -> WeightMap:
    """The map with the array: in the pair that its layer is in, else in a new one."""
    side = _other(tie.side)
    units, lone = {side: unit, tie.side: holder}, f"lone_{side}"
    flax, torch = units["flax"], units["torch"]
    link = ArrayPairing(role, shape, flax.arrays[role], torch.arrays[role], torch_role=role, tie=tie)
    bonds = list(found.bonds)
    for place, bond in enumerate(bonds):
        if getattr(bond, side).path == unit.path and role in getattr(bond, lone):
            bonds[place] = replace(_without(bond, lone, role), links=(*bond.links, link))
            return replace(found, bonds=tuple(bonds))
    rest = {lone: tuple(other for other in unit.arrays if other != role)}
    bonds.append(LayerPairing(flax, torch, (link,), rest.get("lone_flax", ()), rest.get("lone_torch", ())))
    bonds.sort(key=lambda one: one.flax.order)
    flaxes, torches = ([one for one in units if one is not unit] for units in (found.lone_flax, found.lone_torch))
    return WeightMap(tuple(bonds), tuple(flaxes), tuple(torches))


def _without(bond: LayerPairing, lone: str, role: str) -> LayerPairing:
    """The pair, an array of which has found a counterpart."""
    rest = tuple(other for other in getattr(bond, lone) if other != role)
    return replace(bond, lone_flax=rest) if lone == "lone_flax" else replace(bond, lone_torch=rest)


def declared(found: WeightMap, sides: Sides) -> bool:
    """Whether the sides themselves say of all these ties that they are."""
    ties = [(link, link.tie.side) for link in tied(found) if link.tie is not None]
    return all(set(getattr(link, side).names) & set(sides[side].ties.values()) for link, side in ties)


def tied(found: WeightMap) -> list[ArrayPairing]:
    """The arrays that only one side has a second time."""
    return [link for _, link in found.links if link.tie is not None]


def clashes(found: WeightMap, giver: str, native: Mapping[str, NDArray]) -> list[str]:
    """Of arrays that the receiving side ties: those that hold other numbers on the giving one, in words."""
    words = []
    for link in tied(found):
        assert link.tie is not None
        if link.tie.side != giver:
            first, second = getattr(link.tie.of, giver), getattr(link, giver)
            if not np.array_equal(link.tie.turn(first.read(native)), second.read(native)):
                words.append(f"{' + '.join(second.names)} and {' + '.join(first.names)}")
    return words


def whose(link: ArrayPairing) -> str:
    """Who ties, and what follows."""
    assert link.tie is not None
    one, two = FRAMEWORKS[link.tie.side], FRAMEWORKS[_other(link.tie.side)]
    return f"tied in {one}, untied in {two}: the function is the same, but two arrays train otherwise than one"


def held(link: ArrayPairing) -> str:
    """What the tied array is on the other side."""
    assert link.tie is not None
    side = _other(link.tie.side)
    first, second = (" + ".join(getattr(of, side).names) for of in (link.tie.of, link))
    whole = " + ".join(getattr(link, link.tie.side).names)
    return f"{FRAMEWORKS[link.tie.side]}'s {whole} is {FRAMEWORKS[side]}'s {first} and {second}"


def _other(side: str) -> str:
    return "flax" if side == "torch" else "torch"
