"""Finds the weight map of two networks: pairs the layers that hold arrays by kind, shapes, order and names."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.by_order import UnitPairs, units_in_order, units_of_equal_names
from parity.pair.weightmap.pairing.by_shape import (
    arrays_of_equal_sizes,
    convolutions_over_patches,
    dense_units,
    pair_over_patches,
    single_arrays,
    units_of_equal_sizes,
    units_that_share_arrays,
)
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.readings import pair_units
from parity.pair.weightmap.pairing.recurrent import as_dense_units, with_summed_biases
from parity.pair.weightmap.pairing.signatures import ShapedUnit, Shapes, all_with_shapes, without
from parity.pair.weightmap.pairing.splits import split_arrays, without_arrays

Finder = Callable[[list[ShapedUnit], list[ShapedUnit]], UnitPairs]


class _Unpaired:
    """The units of both sides that have no partner yet, and the pairings found so far."""

    def __init__(self, flax: list[ShapedUnit], torch: list[ShapedUnit]) -> None:
        self.flax, self.torch = flax, torch
        self.layers: list[LayerPairing] = []

    def pair(self, find: Finder, join: Callable[[ShapedUnit, ShapedUnit], LayerPairing] = pair_units) -> None:
        """Pair the units that `find` says belong together; `join` says how their arrays do."""
        for flax, torch in find(self.flax, self.torch):
            self.layers.append(join(flax, torch))
            self.flax, self.torch = without(self.flax, [flax]), without(self.torch, [torch])

    def take_pieces(self, *, crossed: bool = False) -> None:
        """Pair the arrays that one side holds whole and the other in pieces; see `split_arrays`."""
        layers = split_arrays(self.flax, self.torch, crossed=crossed)
        self.layers += layers
        self.flax = without_arrays(self.flax, layers, "flax")
        self.torch = without_arrays(self.torch, layers, "torch")

    def take_apart(self, parts: Callable[[list[ShapedUnit]], list[ShapedUnit]]) -> None:
        """Replace the units that are left by their parts."""
        self.flax, self.torch = parts(self.flax), parts(self.torch)


def map_weights(flax: Sequence[Unit], torch: Sequence[Unit], flax_shapes: Shapes, torch_shapes: Shapes) -> WeightMap:
    """Pair the units of two networks: equal ones first, then those that share what they can, then single arrays.

    Args:
        flax, torch: The units of each side in the order of execution.
        flax_shapes, torch_shapes: The shapes of each side's native arrays by name.
    """
    if any({"weight_scale", "spectral_u"} & unit.arrays.keys() for unit in flax):
        torch = [unit.normed or unit for unit in torch]
    shaped = all_with_shapes(flax, flax_shapes), all_with_shapes(torch, torch_shapes)
    named = _assembled(*shaped, units_of_equal_names)
    others = {
        "equal layers in the order of execution": _assembled(*shaped, units_in_order),
        "what each side packs, in the order of execution": _assembled(*shaped, units_in_order, crossed=True),
    }
    seen, new = [_partners(named)], {}
    for name, other in others.items():
        if _partners(other) not in seen:
            seen.append(_partners(other))
            new[name] = other
    return replace(named, others=new)


def _partners(weight_map: WeightMap) -> list[tuple[str, str]]:
    return [(layer.flax.path, layer.torch.path) for layer in weight_map.layers]


def _assembled(
    flax: list[ShapedUnit], torch: list[ShapedUnit], equal_units: Finder, *, crossed: bool = False
) -> WeightMap:
    """The map, with the equal units that a finder pairs."""
    unpaired = _Unpaired(flax, torch)
    unpaired.take_pieces(crossed=crossed)
    unpaired.pair(equal_units)
    unpaired.pair(units_that_share_arrays)
    unpaired.pair(convolutions_over_patches, pair_over_patches)
    unpaired.pair(units_of_equal_sizes)
    unpaired.take_apart(as_dense_units)
    unpaired.pair(dense_units)
    unpaired.take_apart(single_arrays)
    unpaired.pair(arrays_of_equal_sizes)
    layers = sorted(with_summed_biases(unpaired.layers), key=lambda layer: layer.flax.order)
    return WeightMap(tuple(layers), tuple(u.unit for u in unpaired.flax), tuple(u.unit for u in unpaired.torch))
