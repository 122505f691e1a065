"""What kind of numbers the user's inputs hold, so that what is tried beyond them is of that kind too."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.pair.arrays.inputs import changed

Domain = Literal["free", "positive", "unit", "shares", "mask"]
"""Any numbers; none below zero; shares or times from 0 to 1; shares of a whole, along the last axis; 0 and 1 alone."""
SIZED: frozenset[Domain] = frozenset({"free", "positive"})
"""Those whose numbers may be of any size."""
MOST_AXES = 2
"""More than that, from 0 to 1, is an image, whose brightness may be of any size."""
Change = Callable[[NDArray], NDArray]


def domain_of(array: NDArray) -> Domain:
    """The domain of a floating array, learned from its finite numbers.

    Args:
        array: An array of any shape; its last axis is what shares of a whole are summed along.
    """
    finite = array[np.isfinite(array)]
    if not finite.size or finite.min() < 0:
        return "free"
    if array.ndim and array.shape[-1] > 1 and _sums_to_one(array):
        return "shares"
    if is_of_zeros_and_ones(array):
        return "mask"
    if finite.max() <= 1 and array.ndim <= MOST_AXES and finite.min() < finite.max():
        return "unit"
    return "positive"


def is_of_zeros_and_ones(array: NDArray) -> bool:
    """Whether a floating array of any shape holds both 0 and 1, and nothing else: a mask, or one of each row's classes,
    which a mask with one place left in each row cannot be told from."""
    finite = array[np.isfinite(array)]
    return bool(finite.size and np.isin(finite, (0, 1)).all() and finite.min() < finite.max())


def _sums_to_one(array: NDArray) -> bool:
    sums = array.astype(np.float64).sum(-1)
    return bool((np.abs(sums - 1) <= array.shape[-1] * np.finfo(np.float32).eps).all())


def resized(inputs: Inputs, change: Change) -> Inputs:
    """The inputs with every floating array changed whose numbers may be of any size.

    Args:
        inputs: The inputs.
        change: Makes the new array of an array, of its shape and dtype. Shares, masks and numbers from 0 to 1 stay.
    """
    return changed(inputs, lambda array: change(array) if domain_of(array) in SIZED else array)
