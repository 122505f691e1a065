"""Which axis of a square array each network sums over: it tells readings apart where no number does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity.interface.packing import Packing
from parity.interface.programs.operations import Operation
from parity.interface.programs.program import Program
from parity.pair.weightmap.pairing.pairings import ArrayPairing, WeightMap

TURNS = frozenset({"transpose", "t", "T", "mT", "mH", "permute", "swapaxes", "swapdims", "movedim", "moveaxis",
                   "adjoint"})  # fmt: skip
"""Operations that change the axes of a matrix over."""
PRODUCTS = {"linear": (None, 1), "matmul": (1, 0), "mm": (1, 0), "addmm": (None, 1, 0)}
"""Name of a product of PyTorch's → the axis of each operand that is summed over, of those that are matrices."""
MOST = 12
"""Values that an array is followed through, such as those of a parametrization."""


def turned_by_use(weight_map: WeightMap, flax: Program, torch: Program) -> WeightMap:
    """The map with every square array that may be read in two ways as both networks use it: what one sums over is what
    the other sums over.

    Args:
        weight_map: The map; it is given back where nothing is to be changed.
        flax, torch: A pass of each network.
    """
    layers = tuple(
        replace(layer, arrays=tuple(_as_used(array, flax, torch) for array in layer.arrays))
        for layer in weight_map.layers
    )
    return replace(weight_map, layers=layers) if layers != weight_map.layers else weight_map


def _as_used(array: ArrayPairing, flax: Program, torch: Program) -> ArrayPairing:
    square = len(array.shape) == 2 and array.shape[0] == array.shape[1]
    if not square or len(array.others) != 1 or len(array.flax.names) != 1 or len(array.torch.names) != 1:
        return array
    axes = summed_axis(flax, array.flax.names[0]), summed_axis(torch, array.torch.names[0])
    if None in axes or (axes[0] != axes[1]) == _turns(array.torch, array.shape):
        return array
    (other,) = array.others
    return replace(array, torch=other, others=(array.torch,))


def _turns(packing: Packing, shape: Sequence[int]) -> bool:
    """Whether a packing reads a square array transposed."""
    (name,), numbers = packing.names, np.arange(float(np.prod(shape))).reshape(shape)
    return np.array_equal(packing.read({name: numbers}), numbers.T)


def summed_axis(program: Program, name: str) -> int | None:
    """The axis of a square array that its network sums over in a product; None where it takes part in none.

    Args:
        program: A pass of the network.
        name: The array's native name.
    """
    origins = program.origins.items()
    reached = [(value, 0) for value, (kind, its) in origins if kind == "array" and its == name]
    for value, turn in reached:
        for number in program.takers.get(value, ()):
            each = program.operations[number]
            axis = _summed(each, each.operands.index(value))
            if axis is not None:
                return axis ^ turn
            shape = program.compute([value])[0].shape
            alike = [result for result in each.results if program.compute([result])[0].shape == shape]
            reached += [(result, turn ^ (each.name in TURNS)) for result in alike if len(reached) < MOST]
    return None


def _summed(each: Operation, place: int) -> int | None:
    """The axis of one operand, a matrix, that a product sums over; None if it is no product, or sums over several."""
    if each.name == "dot_general":
        summed = each.settings["dimension_numbers"][0][place]
        return int(summed[0]) if len(summed) == 1 else None
    axes = PRODUCTS.get(each.name, ())
    return axes[place] if place < len(axes) else None
