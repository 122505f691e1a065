"""Reads past the end of an array, which JAX moves to its end, or fills, where PyTorch raises."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def reads_beyond(equation: Any, values: Sequence[NDArray]) -> bool:
    """Whether an equation reads an array at places that it does not have.

    Args:
        equation: Any equation; only gathers and dynamic slices read at places that are computed.
        values: Its operands.
    """
    return any(
        bool((np.asarray(start) < 0).any() or (np.asarray(start) > room).any())
        for start, room in _starts(equation, values)
    )


def _starts(equation: Any, values: Sequence[NDArray]) -> Iterator[tuple[NDArray, int]]:
    """Where slices begin along each axis, and the last place where one fits."""
    name, params = equation.primitive.name, equation.params
    if name == "gather":
        array, indices = values[0], np.asarray(values[1])
        for place, axis in enumerate(params["dimension_numbers"].start_index_map):
            yield indices[..., place], array.shape[axis] - params["slice_sizes"][axis]
    elif name == "dynamic_slice":
        array, *starts = values
        for start, length, size in zip(starts, array.shape, params["slice_sizes"], strict=True):
            yield start, length - size
