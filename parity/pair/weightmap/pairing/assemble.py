"""Finds the weight map of two networks: pairs the layers that hold arrays by kind, shapes, order and names."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace

from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.by_order import UnitPairs, units_in_order, units_of_equal_names
from parity.pair.weightmap.pairing.by_shape import (
    arrays_of_equal_sizes,
    convolutions_over_patches,
    dense_units,
    every_array,
    own_units_of_one_name,
    pair_over_patches,
    single_arrays,
    units_in_order_that_share_kernels,
    units_of_equal_sizes,
    units_of_one_name_that_share_arrays,
    units_that_share_arrays,
)
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.readings import pair_units
from parity.pair.weightmap.pairing.recurrent import as_dense_units, with_summed_biases
from parity.pair.weightmap.pairing.signatures import ShapedUnit, Shapes, with_shapes, without
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

    def take_pieces(self, *, crossed: bool = False, alike: bool = True) -> None:
        """Pair the arrays that one side holds whole and the other in pieces; see `split_arrays`."""
        layers = split_arrays(self.flax, self.torch, crossed=crossed, alike=alike)
        self.layers += layers
        self.flax = without_arrays(self.flax, layers, "flax")
        self.torch = without_arrays(self.torch, layers, "torch")

    def take_apart(self, parts: Callable[[list[ShapedUnit]], list[ShapedUnit]]) -> None:
        """Replace the units that are left by their parts."""
        self.flax, self.torch = parts(self.flax), parts(self.torch)


@dataclass(frozen=True)
class Held:
    """What one side holds.

    Args:
        units: The units in the order of execution.
        shapes: The shape of each native array by name.
        trained: The names of the native arrays that are trained; None where all count as such.
    """

    units: Sequence[Unit]
    shapes: Shapes
    trained: Container[str] | None = None

    @property
    def shaped(self) -> list[ShapedUnit]:
        """The units with their canonical shapes."""
        return [with_shapes(unit, self.shapes, self.trained) for unit in self.units]


def map_weights(flax: Held, torch: Held) -> WeightMap:
    """Pair the units of two networks: equal ones first, then those that share what they can, then single arrays."""
    if any({"weight_scale", "spectral_u"} & unit.arrays.keys() for unit in flax.units):
        torch = replace(torch, units=[unit.normed or unit for unit in torch.units])
    shaped = flax.shaped, torch.shaped
    named = _assembled(*shaped, units_of_equal_names)
    others = {
        "equal layers in the order of execution": _assembled(*shaped, units_in_order),
        "layers in the order of execution, whatever else than a kernel they have": _assembled(
            *shaped, units_in_order_that_share_kernels
        ),
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
    if equal_units is units_of_equal_names:
        unpaired.pair(own_units_of_one_name)
        unpaired.pair(units_of_one_name_that_share_arrays)
    unpaired.pair(equal_units)
    unpaired.pair(units_that_share_arrays)
    unpaired.pair(convolutions_over_patches, pair_over_patches)
    unpaired.pair(units_of_equal_sizes)
    unpaired.take_apart(as_dense_units)
    unpaired.pair(dense_units)
    unpaired.take_pieces(crossed=crossed, alike=False)
    unpaired.take_apart(single_arrays)
    unpaired.pair(arrays_of_equal_sizes)
    unpaired.take_apart(every_array)
    unpaired.pair(arrays_of_equal_sizes)
    layers = sorted(with_summed_biases(unpaired.layers), key=lambda layer: layer.flax.order)
    return WeightMap(tuple(layers), tuple(u.unit for u in unpaired.flax), tuple(u.unit for u in unpaired.torch))
