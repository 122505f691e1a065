"""The order in which each network flattens what a dense layer takes: it tells readings apart where no number does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import prod

import numpy as np

from parity.interface.programs.operations import Change, Operation
from parity.interface.programs.program import Program
from parity.pair.weightmap.flattened import with_channels_last_rows
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.pairing.signatures import Shape
from parity.pair.weightmap.use import TURNS

MAPS = frozenset({"conv", "conv_transpose", "batch_norm", "group_norm", "instance_norm"})
"""Kinds of layers whose channels lie last in Flax and behind the batch in PyTorch."""
MOST = 64
"""Operations that a value is followed back through."""


@dataclass(frozen=True)
class _Merge:
    """What a dense layer's input is flattened of.

    Args:
        shape: The shape of one sample.
        order: Its axes, 0 being that of the samples, by their places where a layer with channels gave them.
        channels: The place of the channels there.
    """

    shape: Shape
    order: Sequence[int]
    channels: int

    @property
    def channels_first(self) -> bool:
        """Whether they lie before all other axes."""
        return list(self.order) == [self.channels, *self._spatial]

    @property
    def channels_last(self) -> bool:
        """Whether they lie behind all other axes."""
        return list(self.order) == [*self._spatial, self.channels]

    @property
    def _spatial(self) -> list[int]:
        return sorted(axis for axis in self.order if axis != self.channels)


def flattened_by_use(weight_map: WeightMap, flax: Program, torch: Program) -> WeightMap:
    """The map with the rows of each dense kernel in the order in which both networks flatten what they take.

    Args:
        weight_map: The map; it is given back where nothing is to be changed.
        flax, torch: A pass of each network.
    """
    layers = tuple(_as_flattened(layer, weight_map, flax, torch) for layer in weight_map.layers)
    changed = any(a is not b for a, b in zip(layers, weight_map.layers, strict=True))
    return replace(weight_map, layers=layers) if changed else weight_map


def _as_flattened(layer: LayerPairing, weight_map: WeightMap, flax: Program, torch: Program) -> LayerPairing:
    kernel = next((array for array in layer.arrays if array.role == "kernel" and len(array.shape) == 2), None)
    if not layer.flax.kind == layer.torch.kind == "dense" or kernel is None:
        return layer
    maps = [other for other in weight_map.layers if other.torch.kind in MAPS]
    ours = _merge(flax, layer.flax.path, [other.flax.path for other in maps], last=True)
    theirs = _merge(torch, layer.torch.path, [other.torch.path for other in maps], last=False)
    if ours is None or theirs is None or not (ours.channels_last and theirs.channels_first):
        return layer
    if prod(theirs.shape) != kernel.shape[0] or ours.shape != (*theirs.shape[1:], theirs.shape[0]):
        return layer
    flat = with_channels_last_rows(kernel, theirs.shape)
    return replace(layer, arrays=tuple(flat if array is kernel else array for array in layer.arrays))


def _merge(program: Program, path: str, maps: Sequence[str], *, last: bool) -> _Merge | None:
    """What the input of a layer is flattened of; None where it is not, or of what no layer with channels gave."""
    call = next((call for call in program.calls if call.path == path and call.inputs), None)
    made = {value for each in program.calls if each.path in maps for value in each.outputs}
    value, order, shape = (None if call is None else call.inputs[0]), list[int](), Shape()
    for _ in range(MOST):
        if value is None:
            return None
        here = _shape(program, value)
        if shape and value in made:
            return _Merge(shape, order, len(here) - 1 if last else 1)
        maker = program.maker.get(value)
        if maker is None:
            return None
        each = program.operations[maker]
        value = _followed(program, each, here)
        if value is None:
            return None
        before = _shape(program, value)
        if not shape and len(before) > len(here):
            if here != (before[0], prod(before[1:])):
                return None
            shape, order = before[1:], list(range(1, len(before)))
        elif each.name in TURNS and shape:
            turn = _turn(program, each, value)
            order = [turn[axis] for axis in order] if turn else []
    return None


def _followed(program: Program, each: Operation, shape: Shape) -> int | None:
    """The operand that a result is made of: one of as many axes, or where it is flattened, of as many numbers."""
    for operand in each.operands:
        taken = _shape(program, operand)
        as_many = len(taken) == len(shape) > 1 and taken[0] == shape[0]
        if as_many or (len(taken) > len(shape) and prod(taken) == prod(shape)):
            return operand
    return None


def _shape(program: Program, value: int) -> Shape:
    return tuple(program.compute([value])[0].shape)


def _turn(program: Program, each: Operation, operand: int) -> Sequence[int]:
    """The axes of what an operation takes in the order in which it gives them; none where it does more than that."""
    shape = _shape(program, operand)
    places = np.arange(float(prod(shape))).reshape(shape)
    turned = program.compute([each.results[0]], [Change(operand, lambda _: places)])[0]
    return next(
        (order for order in permutations(range(len(shape))) if np.array_equal(places.transpose(order), turned)), ()
    )
