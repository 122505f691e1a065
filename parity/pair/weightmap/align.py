"""Pairs the calls of two networks: those of paired layers, and those of modules that hold the same layers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from parity.interface.observation import Call
from parity.interface.unit import split_stack
from parity.pair.weightmap.match import WeightMap


@dataclass(frozen=True)
class CallPair:
    """Two calls that are one layer or one block; places are those in each side's list of calls.

    Args:
        flax, torch: places.
        bond: number of the pair of units, None for a block.
    """

    flax: int
    torch: int
    bond: int | None


def pair_layers(match: WeightMap, flax: Sequence[Call], torch: Sequence[Call]) -> list[CallPair]:
    """The n-th calls of paired units, in PyTorch's order; units that are not called equally often are left out."""
    ours, theirs = _by_path(flax), _by_path(torch)
    depth = _depth(match)
    found: list[CallPair] = []
    for number, bond in enumerate(match.bonds):
        if "custom" in (bond.flax.kind, bond.torch.kind) and not _lone_module(match, number):
            continue
        path, index = split_stack(bond.flax.path)
        mine = ours.get(path, [])
        if index is not None and path in depth:
            mine = mine[index :: depth[path]]
        other = theirs.get(bond.torch.path, [])
        if len(mine) == len(other):
            found += [CallPair(a, b, number) for a, b in zip(mine, other, strict=True)]
    return sorted(found, key=lambda pair: pair.torch)


def _lone_module(match: WeightMap, number: int) -> bool:
    """Whether the modules of a pair hold no other layer: else their calls are of more than its arrays, or it is one of
    several arrays of one module, of which the first speaks for it."""
    one = match.bonds[number]
    others = [bond for place, bond in enumerate(match.bonds) if place != number]
    if any((b.flax.path, b.torch.path) == (one.flax.path, one.torch.path) for b in match.bonds[:number]):
        return False
    return not any(
        (beneath(b.flax.path, one.flax.path) and b.flax.path != one.flax.path)
        or (beneath(b.torch.path, one.torch.path) and b.torch.path != one.torch.path)
        for b in others
    )


def pair_blocks(
    match: WeightMap,
    flax: Sequence[Call],
    torch: Sequence[Call],
    layers: Sequence[CallPair],
    agree: Callable[[int, int], bool],
) -> list[CallPair]:
    """Calls of modules that hold the same paired units and that agree: what is in a module besides its layers is each
    side's own business, so that a module without a partner that agrees is no difference."""
    ours = _blocks({n: b.flax.path for n, b in enumerate(match.bonds)}, flax)
    theirs = _blocks({n: b.torch.path for n, b in enumerate(match.bonds)}, torch)
    taken = {pair.flax for pair in layers}, {pair.torch for pair in layers}
    found = []
    for key, places in ours.items():
        free = [place for place in theirs.get(key, []) if place not in taken[1]]
        for place in (place for place in places if place not in taken[0]):
            if (partner := next((other for other in free if agree(place, other)), None)) is not None:
                free.remove(partner)
                found.append(CallPair(place, partner, None))
    return found


def beneath(unit: str, path: str) -> bool:
    """Whether a unit is the module of that path or in it."""
    return path == "" or unit == path or (unit.startswith(path) and unit[len(path)] in "./[")


def _by_path(calls: Sequence[Call]) -> dict[str, list[int]]:
    places = defaultdict(list)
    for place, call in enumerate(calls):
        places[call.path].append(place)
    return places


def _depth(match: WeightMap) -> dict[str, int]:
    """Path of stacked units → how many there are."""
    depth: dict[str, int] = {}
    for bond in match.bonds:
        path, index = split_stack(bond.flax.path)
        if index is not None:
            depth[path] = max(depth.get(path, 0), index + 1)
    return depth


def _blocks(units: Mapping[int, str], calls: Sequence[Call]) -> dict[tuple[frozenset[int], int], list[int]]:
    """(Units held, number of the call) → places of the calls, innermost first; without the network itself."""
    found = defaultdict(list)
    totals = {path: len(places) for path, places in _by_path(calls).items()}
    seen: dict[str, int] = defaultdict(int)
    for place, call in enumerate(calls):
        number, total = seen[call.path], totals[call.path]
        seen[call.path] += 1
        inside = {n: unit for n, unit in units.items() if beneath(unit, call.path)}
        indices = {index for unit in inside.values() if (index := split_stack(unit)[1]) is not None}
        depth = max(indices) + 1 if indices else 0
        if depth > 1 and total % depth == 0:
            inside = {n: unit for n, unit in inside.items() if split_stack(unit)[1] in (None, number % depth)}
            number //= depth
        if inside and call.path:
            found[frozenset(inside), number].append(place)
    return found
