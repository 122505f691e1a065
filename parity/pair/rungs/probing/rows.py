"""Samples that are zero all over, such as padding, and samples of tiny numbers: where a norm or a deviation is zero."""

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.interface.packing import native_copy
from parity.interface.trace import Arrays
from parity.pair.arrays.domain import domain_of
from parity.pair.arrays.inputs import arrays, changed
from parity.pair.weightmap.pairing.pairings import WeightMap

ZERO_ROWS = "zero rows"
"""The name of the probe of a sample that is zero, beside one that nearly is."""
TINY_ROWS = "tiny rows"
"""The name of the probe of a sample that is nearly zero."""
TINY = 1e-8
"""A sample of numbers of about one becomes as small as this: beside it, what keeps from dividing by zero counts, and
its squares are still numbers in float32."""


def with_rows(inputs: Inputs, first: float, last: float = 1.0) -> Inputs | None:
    """The inputs with the first and the last sample multiplied by numbers; None where no input may hold such samples.

    Inputs that may be zero are floating ones of several axes, of both signs or with a zero among the user's numbers.
    Where every row has the same norm, it is one of the user's making, and no row is zero.

    Args:
        inputs: The user's.
        first: What the first sample is multiplied by.
        last: What the last sample is multiplied by, where there are several.
    """

    def scaled(array: NDArray) -> NDArray:
        if not _may_be_zero(array):
            return array
        factors = np.ones((len(array), *(1,) * (array.ndim - 1)), array.dtype)
        factors[-1], factors[0] = last, first
        return array * factors

    made = changed(inputs, scaled)
    same = all(np.array_equal(a, b) for a, b in zip(arrays(inputs).values(), arrays(made).values(), strict=True))
    return None if same else made


def _may_be_zero(array: NDArray) -> bool:
    if array.ndim < 2 or not array.size or not np.isfinite(array).all():
        return False
    domain = domain_of(array)
    if domain != "free" and not (domain == "positive" and array.min() == 0):
        return False
    norms = np.linalg.norm(array.astype(np.float64), axis=-1)
    alike = float(np.ptp(norms)) <= array.shape[-1] * np.finfo(np.float32).eps * float(norms.max())
    return array.shape[-1] == 1 or not alike


def without_biases(weight_map: WeightMap, torch: Arrays) -> Arrays:
    """PyTorch's arrays with biases and running means of zero, as layers begin: a sample of zeros stays one then.

    Args:
        weight_map: The map, which says which arrays these are.
        torch: PyTorch's native arrays.
    """
    native = native_copy(torch)
    for _, array in weight_map.arrays:
        if "bias" in array.role or array.role == "running_mean":
            array.torch.write(np.zeros(array.shape), native)
    return native
