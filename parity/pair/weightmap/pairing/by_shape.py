"""Pairs units whose signatures differ by what their arrays have in common."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

from parity.pair.weightmap.pairing.by_order import UnitPairs, of_one_name, pair_group
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.pair.weightmap.pairing.readings import pair_units
from parity.pair.weightmap.pairing.signatures import (
    ShapedUnit,
    Signature,
    by_signature,
    share_arrays,
    unit_sizes,
    without,
)


def units_that_share_arrays(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of one known kind whose common arrays are of one shape: one side has a bias, say, and the other has not."""
    return _first_fitting(flax, torch, _share_arrays_of_one_kind)


def _share_arrays_of_one_kind(flax: ShapedUnit, torch: ShapedUnit) -> bool:
    return flax.unit.kind == torch.unit.kind and not flax.is_custom and share_arrays(flax, torch)


def units_of_one_name_that_share_arrays(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Those of them that have one name: before another layer that has its bias too is taken for one of them."""
    named = of_one_name(flax, torch)
    return ((a, b) for a, b in named if a.signature != b.signature and _share_arrays_of_one_kind(a, b))


def units_in_order_that_share_kernels(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of one known kind in the order of execution whose kernels are of one shape, whatever else one of them has,
    where both sides run as many of them."""
    ours, theirs = (_by_kernel(side) for side in (flax, torch))
    for kernel, units in ours.items():
        if len(units) == len(theirs.get(kernel, ())):
            yield from zip(units, theirs[kernel], strict=True)


def _by_kernel(units: list[ShapedUnit]) -> dict[Signature, list[ShapedUnit]]:
    running = (unit for unit in units if unit.unit.runs and not unit.is_custom and "kernel" in unit.shapes)
    return by_signature(running, lambda unit: (unit.unit.kind, unit.shapes["kernel"]))


def dense_units(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of dense units whose common arrays are of one shape."""
    return _first_fitting(flax, torch, lambda a, b: a.unit.kind == b.unit.kind == "dense" and share_arrays(a, b))


def own_units_of_one_name(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of no known kind that have one name and as many arrays, of shapes that transposing equates: what their
    authors call alike is one layer before what only has its shapes is."""
    ours, theirs = ([unit for unit in side if unit.is_custom] for side in (flax, torch))
    return ((a, b) for a, b in of_one_name(ours, theirs) if unit_sizes(a) == unit_sizes(b))


def units_of_equal_sizes(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs in which one unit is of no known kind and that hold as many arrays, of shapes that transposing equates."""
    return _first_fitting(flax, torch, lambda a, b: (a.is_custom or b.is_custom) and unit_sizes(a) == unit_sizes(b))


def arrays_of_equal_sizes(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of single arrays, one of a unit of no known kind: those of one shape, then those that transposing equates;
    of several, those with the likest names."""
    for key in (lambda unit: tuple(unit.shapes.values()), unit_sizes):
        ours, theirs = ([unit for unit in side if len(unit.shapes) == 1] for side in (flax, torch))
        for value in dict.fromkeys(key(unit) for unit in ours):
            candidates = pair_group([u for u in ours if key(u) == value], [u for u in theirs if key(u) == value])
            pairs = [(a, b) for a, b in candidates if a.is_custom or b.is_custom]
            yield from pairs
            flax, torch = without(flax, [a for a, _ in pairs]), without(torch, [b for _, b in pairs])


def single_arrays(units: list[ShapedUnit]) -> list[ShapedUnit]:
    """The units, those of no known kind as one unit for each of their arrays."""
    return [part for unit in units for part in (map(unit.only, unit.shapes) if unit.is_custom else [unit])]


def every_array(units: list[ShapedUnit]) -> list[ShapedUnit]:
    """The units as one for each of their arrays: a layer may be some arrays of a module that holds those of others."""
    return [unit.only(role) for unit in units for role in unit.shapes]


def convolutions_over_patches(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of a convolution and a dense layer that sees as much: the same patches, or all of what was flattened."""
    return _first_fitting(flax, torch, lambda a, b: _covers_patches(a, b) or _covers_patches(b, a))


def pair_over_patches(flax: ShapedUnit, torch: ShapedUnit) -> LayerPairing:
    """The pairing of a convolution and a dense layer over its patches, whichever side has which.

    The rows of the dense kernel are a patch's rows, columns and channels, or its channels, rows and columns.
    """
    layer = pair_units(flax, torch)
    rest = (array for array in layer.arrays if array.role != "kernel")
    return replace(layer, arrays=(_pair_kernels(flax, torch), *rest), lone_flax=(), lone_torch=())


def _covers_patches(conv: ShapedUnit, dense: ShapedUnit) -> bool:
    if (conv.unit.kind, dense.unit.kind) != ("conv", "dense") or conv.shapes.keys() != dense.shapes.keys():
        return False
    kernel = conv.shapes["kernel"]
    return conv.unit.settings.get("groups") == 1 and (prod(kernel[:-1]), kernel[-1]) == dense.shapes["kernel"]


def _pair_kernels(flax: ShapedUnit, torch: ShapedUnit) -> ArrayPairing:
    shape, torch_shape = flax.shapes["kernel"], torch.shapes["kernel"]
    packing = torch.unit.arrays["kernel"]
    kernel = ArrayPairing("kernel", shape, flax.unit.arrays["kernel"], packing, torch_role="kernel")
    if len(torch_shape) > 2:  # PyTorch has the convolution, natively (out, in, *spatial)
        last = len(torch_shape) - 1
        other = replace(packing, transposed=(last - 1, *range(last - 1), last), shape_after=shape)
    else:
        order = (*range(1, len(shape) - 1), 0, len(shape) - 1)
        other = replace(packing, reshaped=(shape[-2], *shape[:-2], shape[-1]), transposed=order)
    likely = replace(packing, reshaped=shape)
    if len(torch_shape) == 2 and flax.unit.settings.get("strides") != flax.unit.settings.get("kernel_size"):
        likely, other = other, likely  # PyTorch's dense layer sees a flattened map, not patches
    return replace(kernel, torch=likely, others=(other,))


def _first_fitting(
    flax: list[ShapedUnit], torch: list[ShapedUnit], fits: Callable[[ShapedUnit, ShapedUnit], bool]
) -> UnitPairs:
    """Each of Flax's units with the first of PyTorch's that fits it and is not paired yet."""
    rest = list(torch)
    for unit in flax:
        if (partner := next((other for other in rest if fits(unit, other)), None)) is not None:
            rest = without(rest, [partner])
            yield unit, partner
