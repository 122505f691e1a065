"""Other readings of a weight map that might make a layer agree that does not, the likeliest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from numpy.typing import NDArray

from parity.pair.arrays.layout import floating
from parity.pair.weightmap.align import CallPair, pair_layers
from parity.pair.weightmap.flattened import flattened_rows
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.readings import pair_units
from parity.pair.weightmap.pairing.signatures import with_shapes
from parity.pair.weightmap.proof import ProofPass
from parity.pair.weightmap.random_weights import name_of

MOST_IN_GROUP = 4
"""Equal layers with equal inputs whose orders are all tried; more are too many orders."""

Option = tuple[str, WeightMap]
"""A reading's name, for people, and the map with it."""


@dataclass(frozen=True)
class NativeArrays:
    """The native arrays of both sides by name."""

    flax: Mapping[str, NDArray]
    torch: Mapping[str, NDArray]


def alternatives(weight_map: WeightMap, passed: ProofPass, failing: int, native: NativeArrays) -> Iterator[Option]:
    """Other readings that might make the failing call agree, the likeliest first.

    Args:
        weight_map: The map that was tried.
        passed: The pass with it.
        failing: The place of the first call of Flax's that does not agree.
        native: The users' own native arrays, for their shapes.
    """
    pairs = pair_layers(weight_map, passed.flax.calls, passed.torch.calls)
    here = next((pair for pair in pairs if pair.flax == failing), None)
    if here is not None and here.layer is not None:
        yield from _flattened(weight_map, passed, here)
        yield from _partners(weight_map, passed, here, pairs, native)
        yield from _other_packings(weight_map, [here.layer])
    yield from _other_pieces(weight_map)
    verified = {pair.layer for pair in pairs if pair.flax < failing and all(passed.layer(pair))}
    unsure = [number for number in range(len(weight_map.layers)) if number not in verified]
    yield from _other_packings(weight_map, [number for number in unsure if here is None or number != here.layer])
    yield from _exchanged(weight_map, _alike(weight_map, passed, pairs, verified), native)


def _other_packings(weight_map: WeightMap, numbers: Sequence[int]) -> Iterator[Option]:
    """Other packings of the arrays of some pairings of layers."""
    for number in numbers:
        layer = weight_map.layers[number]
        for place, array in enumerate(layer.arrays):
            for packing in array.others:
                rest = tuple(other for other in array.others if other is not packing)
                read = replace(array, torch=packing, others=(array.torch, *rest))
                arrays = (*layer.arrays[:place], read, *layer.arrays[place + 1 :])
                name = f"{name_of(layer, array)} read otherwise"
                yield name, _with(weight_map, {number: replace(layer, arrays=arrays)})


def _other_pieces(weight_map: WeightMap) -> Iterator[Option]:
    """Other ways to cut the arrays that one side holds whole, all those of a group alike."""
    groups: dict[str, dict[str, None]] = {}
    for layer in weight_map.layers:
        if layer.piece is not None:
            groups.setdefault(layer.piece.group, {}).update(dict.fromkeys(layer.piece.readings))
    for group, names in groups.items():
        for name in list(names)[1:]:
            yield (
                f"{group}: {name}",
                replace(weight_map, layers=tuple(_cut_so(a, group, name) for a in weight_map.layers)),
            )


def _cut_so(layer: LayerPairing, group: str, name: str) -> LayerPairing:
    """The pairing with the reading of that name if it is of the group and has it."""
    piece = layer.piece
    if piece is None or piece.group != group or name not in piece.readings:
        return layer
    return replace(piece.readings[name], piece=piece)


def _flattened(weight_map: WeightMap, passed: ProofPass, here: CallPair) -> Iterator[Option]:
    """The rows of a dense kernel in the order of a flattened channels-first activation."""
    assert here.layer is not None
    for layer in flattened_rows(weight_map.layers[here.layer], passed, here):
        yield "rows of a flattened activation", _with(weight_map, {here.layer: layer})


def _partners(
    weight_map: WeightMap, passed: ProofPass, here: CallPair, pairs: Sequence[CallPair], native: NativeArrays
) -> Iterator[Option]:
    """Layers of PyTorch's, equal in kind and shapes, that are fed what the failing one of Flax is."""
    assert here.layer is not None
    layer = weight_map.layers[here.layer]
    for pair in pairs:
        assert pair.layer is not None
        other = weight_map.layers[pair.layer]
        equal = pair.layer != here.layer and [a.shape for a in other.arrays] == [a.shape for a in layer.arrays]
        alike = equal and other.torch.kind == layer.torch.kind
        if alike and passed.layer(CallPair(here.flax, pair.torch, None))[0]:
            yield "another equal layer", _reordered(weight_map, [here.layer, pair.layer], (1, 0), native)


def _exchanged(weight_map: WeightMap, groups: Iterator[list[int]], native: NativeArrays) -> Iterator[Option]:
    """Other orders of layers that are alike, by the numbers of each group."""
    for numbers in groups:
        for order in permutations(range(len(numbers))) if len(numbers) <= MOST_IN_GROUP else ():
            if list(order) != sorted(order):
                names = ", ".join(weight_map.layers[number].torch.path for number in numbers)
                yield f"another order of {names}", _reordered(weight_map, numbers, order, native)


def _alike(
    weight_map: WeightMap, passed: ProofPass, pairs: Sequence[CallPair], verified: set[int | None]
) -> Iterator[list[int]]:
    """Groups of equal layers that are fed the same, whose agreement proves nothing, and of those never called."""
    called = {pair.layer: pair.flax for pair in pairs}
    groups: dict[object, list[int]] = {}
    for number, layer in enumerate(weight_map.layers):
        if layer.piece is not None:
            continue
        shapes = (layer.flax.kind, tuple((array.role, array.shape) for array in layer.arrays))
        if number not in called:
            groups.setdefault((shapes, layer.torch.path.rpartition(".")[0]), []).append(number)
        elif inputs := floating(passed.flax.calls[called[number]].inputs):
            groups.setdefault((shapes, inputs[0].shape, float(inputs[0].sum())), []).append(number)
    yield from (group for group in groups.values() if len(group) > 1)


def _reordered(weight_map: WeightMap, numbers: Sequence[int], order: Sequence[int], native: NativeArrays) -> WeightMap:
    """The map with PyTorch's units of some pairings in another order."""
    flax_shapes = {name: array.shape for name, array in native.flax.items()}
    torch_shapes = {name: array.shape for name, array in native.torch.items()}
    changed: dict[int, LayerPairing] = {}
    for number, place in zip(numbers, order, strict=True):
        flax, torch = weight_map.layers[number].flax, weight_map.layers[numbers[place]].torch
        changed[number] = pair_units(with_shapes(flax, flax_shapes), with_shapes(torch, torch_shapes))
    return _with(weight_map, changed)


def _with(weight_map: WeightMap, changed: Mapping[int, LayerPairing]) -> WeightMap:
    """The map with other pairings at these places."""
    layers = (changed.get(number, layer) for number, layer in enumerate(weight_map.layers))
    return replace(weight_map, layers=tuple(layers))
