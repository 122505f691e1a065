"""Recurrent layers as the two dense layers that they are, for networks that write the cell out by hand."""

from dataclasses import replace

from parity.interface.packing import Packing
from parity.pair.weightmap.pairing.pairings import LayerPairing
from parity.pair.weightmap.pairing.signatures import ShapedUnit

ROLES = ("input_kernel", "recurrent_kernel")


def as_dense_units(units: list[ShapedUnit]) -> list[ShapedUnit]:
    """The units, each LSTM and plain recurrent layer as two dense units; each has a bias where the layer has two."""
    return [part for unit in units for part in (_halves(unit) if unit.unit.kind in ("lstm", "rnn") else [unit])]


def _halves(cell: ShapedUnit) -> list[ShapedUnit]:
    """The input's and the hidden state's dense unit; one bias alone belongs to the hidden state's."""
    arrays, bias = cell.unit.arrays, cell.unit.arrays.get("bias")
    summands = bias.parts if bias is not None and bias.join == "sum" else ()
    halves = []
    for place, role in enumerate(ROLES):
        packings, shapes = {"kernel": arrays[role]}, {"kernel": cell.shapes[role]}
        if bias is not None and (summands or role == "recurrent_kernel"):
            packings["bias"] = replace(bias, parts=(summands[place],), join="concatenate") if summands else bias
            shapes["bias"] = cell.shapes["bias"]
        halves.append(ShapedUnit(replace(cell.unit, kind="dense", arrays=packings, settings={}), shapes))
    return halves


def with_summed_biases(layers: list[LayerPairing]) -> list[LayerPairing]:
    """The pairings; where only one half of a recurrent layer of PyTorch's has a partner for its bias, the partner is
    the sum of both halves' biases."""
    return [_with_summed_bias(layer, layers) for layer in layers]


def _with_summed_bias(layer: LayerPairing, layers: list[LayerPairing]) -> LayerPairing:
    if layer.torch.kind != "dense":
        return layer
    siblings = [other for other in layers if other is not layer and other.torch.path == layer.torch.path]
    lone = next((other for other in siblings if _has_lone_bias(other)), None)
    if lone is not None:
        return _summed(layer, lone.torch.arrays["bias"])
    held = any(array.role == "bias" for other in siblings if other.torch.kind == "dense" for array in other.arrays)
    return replace(layer, lone_torch=()) if _has_lone_bias(layer) and held else layer


def _has_lone_bias(layer: LayerPairing) -> bool:
    return layer.torch.kind == "dense" and layer.lone_torch == ("bias",)


def _summed(layer: LayerPairing, bias: Packing) -> LayerPairing:
    """The pairing with the other half's bias added to its own."""
    arrays = (
        replace(array, torch=Packing((*bias.parts, *array.torch.parts), "sum")) if array.role == "bias" else array
        for array in layer.arrays
    )
    return replace(layer, arrays=tuple(arrays))
