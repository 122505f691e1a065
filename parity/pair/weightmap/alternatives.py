"""Other readings of a weight map that might make a layer agree that does not, the likeliest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from numpy.typing import NDArray

from parity.pair.arrays.layout import floating
from parity.pair.weightmap.align import CallPair, pair_layers
from parity.pair.weightmap.features import with_features
from parity.pair.weightmap.flattened import flattened_rows
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.readings import other_roles, pair_units
from parity.pair.weightmap.pairing.signatures import Shape, with_shapes
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
    yield from _becoming_a_map(weight_map, passed, pairs, failing)
    if here is not None and here.layer is not None:
        yield from _flattened(weight_map, passed, here)
        yield from _partners(weight_map, passed, here, pairs, native)
        yield from _other_packings(weight_map, [here.layer])
    verified = {pair.layer for pair in pairs if pair.flax < failing and all(passed.layer(pair))}
    unsure = [number for number in range(len(weight_map.layers)) if number not in verified]
    settled = max((weight_map.layers[number].flax.order for number in verified if number is not None), default=-1)
    last = None if here is None or here.layer is None else weight_map.layers[here.layer].flax.order
    yield from _other_pieces(weight_map, settled, last)
    yield from _other_packings(weight_map, [number for number in unsure if here is None or number != here.layer])
    yield from _other_roles(weight_map, unsure, native)
    yield from _exchanged(weight_map, _alike(weight_map, passed, pairs, native), native)


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


def _other_roles(weight_map: WeightMap, numbers: Sequence[int], native: NativeArrays) -> Iterator[Option]:
    """Arrays of equal sizes of some pairings of layers, paired otherwise."""
    shapes = [{name: array.shape for name, array in side.items()} for side in (native.flax, native.torch)]
    for number in numbers:
        layer = weight_map.layers[number]
        if layer.piece is None and all(array.tie is None for array in layer.arrays):
            units = with_shapes(layer.flax, shapes[0]), with_shapes(layer.torch, shapes[1])
            for other in other_roles(layer, *units):
                yield (
                    f"arrays of {layer.torch.path or layer.flax.path} paired otherwise",
                    _with(weight_map, {number: other}),
                )


def _other_pieces(weight_map: WeightMap, settled: int, last: int | None) -> Iterator[Option]:
    """Other ways to cut the arrays that one side holds whole: all those of a group alike, then those of each module.

    Args:
        weight_map: The map.
        settled: The place of the last of Flax's layers that agree in the order of execution: what runs before it is
            right already.
        last: That of the failing one: what runs after it comes last. None if all layers agree.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for number, layer in enumerate(weight_map.layers):
        if layer.piece is not None:
            groups.setdefault((layer.piece.group, ""), []).append(number)
            groups.setdefault((layer.piece.group, getattr(layer, layer.piece.whole).path), []).append(number)
    alone = {group for group, path in groups if path and len(groups[group, path]) == len(groups[group, ""])}

    def unlikely(numbers: Sequence[int]) -> bool:
        places = [weight_map.layers[number].flax.order for number in numbers]
        return min(places) < settled or (last is not None and min(places) > last)

    for (group, path), numbers in sorted(groups.items(), key=lambda item: (unlikely(item[1]), bool(item[0][1]))):
        if not path or group not in alone:
            yield from _cut_otherwise(weight_map, group, path, numbers)


def _cut_otherwise(weight_map: WeightMap, group: str, path: str, numbers: Sequence[int]) -> Iterator[Option]:
    """The readings of the pieces of some pairings."""
    names = dict.fromkeys(
        name for number in numbers if (piece := weight_map.layers[number].piece) for name in piece.readings
    )
    for name in names:
        changed = {number: _cut_so(weight_map.layers[number], name) for number in numbers}
        if any(layer != weight_map.layers[number] for number, layer in changed.items()):
            yield f"{path or group}: {name}", _with(weight_map, changed)


def _cut_so(layer: LayerPairing, name: str) -> LayerPairing:
    """The pairing with the reading of that name if it has it."""
    piece = layer.piece
    if piece is None or name not in piece.readings:
        return layer
    return replace(piece.readings[name], piece=piece)


def _flattened(weight_map: WeightMap, passed: ProofPass, here: CallPair) -> Iterator[Option]:
    """The rows of a dense kernel in the order of a flattened channels-first activation."""
    assert here.layer is not None
    for layer in flattened_rows(weight_map.layers[here.layer], passed, here):
        yield "rows of a flattened activation", _with(weight_map, {here.layer: layer})


def _becoming_a_map(
    weight_map: WeightMap, passed: ProofPass, pairs: Sequence[CallPair], failing: int
) -> Iterator[Option]:
    """The features of a dense layer, and of norms after it, in the order of the map that each side makes of them."""
    for inner in passed.reshaped_into(next((pair for pair in pairs if pair.flax == failing), None)):
        changed: dict[int, LayerPairing] = {}
        for pair in sorted((pair for pair in pairs if pair.flax < failing), key=lambda pair: -pair.flax):
            assert pair.layer is not None
            layer = with_features(weight_map.layers[pair.layer], inner)
            changed |= {} if layer is None else {pair.layer: layer}
            if layer is not None and layer.flax.kind == "dense":
                yield "features that become a map", _with(weight_map, changed)
                break


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
            yield "another equal layer", reordered(weight_map, [here.layer, pair.layer], (1, 0), native)


def _exchanged(weight_map: WeightMap, groups: Iterator[list[int]], native: NativeArrays) -> Iterator[Option]:
    """Other orders of layers that are alike, by the numbers of each group."""
    for numbers in groups:
        for order in permutations(range(len(numbers))) if len(numbers) <= MOST_IN_GROUP else ():
            if list(order) != sorted(order):
                names = ", ".join(weight_map.layers[number].torch.path for number in numbers)
                yield f"another order of {names}", reordered(weight_map, numbers, order, native)


def _alike(
    weight_map: WeightMap, passed: ProofPass, pairs: Sequence[CallPair], native: NativeArrays
) -> Iterator[list[int]]:
    """Groups of equal layers that are fed the same, whose agreement proves nothing, and of those never called."""
    called = {pair.layer: pair.flax for pair in pairs}
    groups: dict[object, list[int]] = {}
    for number, layer in enumerate(weight_map.layers):
        if layer.piece is not None:
            continue
        held = [(array.role, [native.torch[name].shape for name in array.torch.names]) for array in layer.arrays]
        shapes = (layer.flax.kind, str(held))
        if number not in called:
            groups.setdefault((shapes, layer.torch.path.rpartition(".")[0]), []).append(number)
        elif inputs := floating(passed.flax.calls[called[number]].inputs):
            groups.setdefault((shapes, inputs[0].shape, float(inputs[0].sum())), []).append(number)
    yield from (group for group in groups.values() if len(group) > 1)


def reordered(weight_map: WeightMap, numbers: Sequence[int], order: Sequence[int], native: NativeArrays) -> WeightMap:
    """The map with PyTorch's units of some pairings in another order.

    Args:
        weight_map: The map.
        numbers: The pairings, by their places in the map.
        order: The places among `numbers` of the pairings whose units of PyTorch's these get, in their order.
        native: Both sides' native arrays.
    """
    flax_shapes = {name: array.shape for name, array in native.flax.items()}
    torch_shapes = {name: array.shape for name, array in native.torch.items()}
    changed: dict[int, LayerPairing] = {}
    for number, place in zip(numbers, order, strict=True):
        layer, partner = weight_map.layers[number], weight_map.layers[numbers[place]]
        changed[number] = _read_alike(layer, partner, torch_shapes) or pair_units(
            with_shapes(layer.flax, flax_shapes), with_shapes(partner.torch, torch_shapes)
        )
    return _with(weight_map, changed)


def _read_alike(layer: LayerPairing, partner: LayerPairing, shapes: Mapping[str, Shape]) -> LayerPairing | None:
    """The pairing with the unit of PyTorch's that another has, whose arrays are read as its own were; None if the two
    units hold other arrays."""
    theirs = {array.role: array.torch.names for array in partner.arrays}
    if sorted(theirs) != sorted(array.role for array in layer.arrays) or layer.piece or partner.piece:
        return None
    names = {old: new for a in layer.arrays for old, new in zip(a.torch.names, theirs[a.role], strict=False)}
    if any(array.tie for array in layer.arrays) or any(shapes[old] != shapes[new] for old, new in names.items()):
        return None
    arrays = tuple(
        replace(
            array,
            torch=array.torch.renamed(names),
            others=tuple(other.renamed(names) for other in array.others),
            torch_role=next(other.torch_role for other in partner.arrays if other.role == array.role),
        )
        for array in layer.arrays
    )
    return replace(layer, torch=partner.torch, arrays=arrays, lone_torch=partner.lone_torch)


def _with(weight_map: WeightMap, changed: Mapping[int, LayerPairing]) -> WeightMap:
    """The map with other pairings at these places."""
    layers = (changed.get(number, layer) for number, layer in enumerate(weight_map.layers))
    return replace(weight_map, layers=tuple(layers))
