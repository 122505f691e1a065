"""Pairs the calls of two networks: those of paired layers, and those of modules that hold the same layers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from parity.interface.observation import Call
from parity.interface.unit import split_stack
from parity.pair.weightmap.features import features_of
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.signatures import Shape


@dataclass(frozen=True)
class CallPair:
    """Two calls that are one layer or one block.

    Args:
        flax, torch: The places of the calls in each side's list of calls.
        layer: The number of the pairing of layers in the weight map; None for a block.
        features_in, features_out: The shapes (channels, *spatial) of PyTorch's maps that what comes in was, and that
            becomes of what goes out: each side has these features in its own order.
    """

    flax: int
    torch: int
    layer: int | None
    features_in: Shape = ()
    features_out: Shape = ()


def pair_layers(weight_map: WeightMap, flax: Sequence[Call], torch: Sequence[Call]) -> list[CallPair]:
    """The n-th calls of paired layers, in PyTorch's order; layers that are not called equally often are left out.

    Args:
        weight_map: The map of the layers.
        flax, torch: Each side's calls of one pass.
    """
    flax_places, torch_places = _places_by_path(flax), _places_by_path(torch)
    depths = _stack_depths(weight_map)
    pairs: list[CallPair] = []
    for number, layer in enumerate(weight_map.layers):
        custom = "custom" in (layer.flax.kind, layer.torch.kind)
        if layer.piece is not None or (custom and not _is_lone_module(weight_map, number)):
            continue
        path, index = split_stack(layer.flax.path)
        ours = flax_places.get(path, [])
        if index is not None and path in depths:
            ours = ours[index :: depths[path]]
        theirs = torch_places.get(layer.torch.path, [])
        if len(ours) == len(theirs):
            pairs += [CallPair(a, b, number, *features_of(layer)) for a, b in zip(ours, theirs, strict=True)]
    return sorted(pairs, key=lambda pair: pair.torch)


def _is_lone_module(weight_map: WeightMap, number: int) -> bool:
    """Whether the calls of a pairing's modules are of its arrays alone: the modules hold no other layer, neither is the
    network itself where the other is a part of it, and of several pairings of the same two modules this is the first,
    which speaks for all."""
    layer = weight_map.layers[number]
    if "" in (layer.flax.path, layer.torch.path) and layer.flax.path != layer.torch.path:
        return False
    if any(_same_modules(other, layer) for other in weight_map.layers[:number]):
        return False
    others = [other for place, other in enumerate(weight_map.layers) if place != number]
    return not any(
        (beneath(other.flax.path, layer.flax.path) and other.flax.path != layer.flax.path)
        or (beneath(other.torch.path, layer.torch.path) and other.torch.path != layer.torch.path)
        for other in others
    )


def _same_modules(first: LayerPairing, second: LayerPairing) -> bool:
    return (first.flax.path, first.torch.path) == (second.flax.path, second.torch.path)


def pair_blocks(
    weight_map: WeightMap,
    flax: Sequence[Call],
    torch: Sequence[Call],
    layers: Sequence[CallPair],
    agree: Callable[[int, int], bool],
) -> list[CallPair]:
    """Calls of modules that hold the same paired layers and that agree.

    What is in a module besides its layers is each side's own business, so that a module without a partner that agrees
    is no difference.

    Args:
        weight_map: The map of the layers.
        flax, torch: Each side's calls of one pass.
        layers: The calls that are paired as layers already.
        agree: Whether the results of two calls agree, by their places.
    """
    flax_blocks = _blocks({n: layer.flax.path for n, layer in enumerate(weight_map.layers)}, flax)
    torch_blocks = _blocks({n: layer.torch.path for n, layer in enumerate(weight_map.layers)}, torch)
    taken = {pair.flax for pair in layers}, {pair.torch for pair in layers}
    pairs = []
    for held, places in flax_blocks.items():
        free = [place for place in torch_blocks.get(held, []) if place not in taken[1]]
        for place in (place for place in places if place not in taken[0]):
            if (partner := next((other for other in free if agree(place, other)), None)) is not None:
                free.remove(partner)
                pairs.append(CallPair(place, partner, None))
    return pairs


def beneath(unit: str, path: str) -> bool:
    """Whether a unit is the module of that path or inside it."""
    return path == "" or unit == path or (unit.startswith(path) and unit[len(path)] in "./[")


def _places_by_path(calls: Sequence[Call]) -> dict[str, list[int]]:
    places = defaultdict(list)
    for place, call in enumerate(calls):
        places[call.path].append(place)
    return places


def _stack_depths(weight_map: WeightMap) -> dict[str, int]:
    """The path of stacked units (a scan's) and how many there are."""
    depths: dict[str, int] = {}
    for layer in weight_map.layers:
        path, index = split_stack(layer.flax.path)
        if index is not None:
            depths[path] = max(depths.get(path, 0), index + 1)
    return depths


def _blocks(units: Mapping[int, str], calls: Sequence[Call]) -> dict[tuple[frozenset[int], int], list[int]]:
    """The calls by the layers that their modules hold, without the calls of the network itself.

    Args:
        units: The number of each layer and the path of its unit.
        calls: The side's calls.

    Returns:
        The numbers of the layers held and the number of the call of the module → places of the calls, innermost first.
    """
    blocks = defaultdict(list)
    totals = {path: len(places) for path, places in _places_by_path(calls).items()}
    begun: dict[str, int] = defaultdict(int)
    for place, call in enumerate(calls):
        number, total = begun[call.path], totals[call.path]
        begun[call.path] += 1
        inside = {n: unit for n, unit in units.items() if beneath(unit, call.path)}
        indices = {index for unit in inside.values() if (index := split_stack(unit)[1]) is not None}
        depth = max(indices) + 1 if indices else 0
        if depth > 1 and total % depth == 0:
            inside = {n: unit for n, unit in inside.items() if split_stack(unit)[1] in (None, number % depth)}
            number //= depth
        if inside and call.path:
            blocks[frozenset(inside), number].append(place)
    return blocks
