"""Masks for dropout that both sides share."""

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Dropped
from parity.pair.arrays.layout import CHANNELS_LAST_TO_FIRST, spread, turn_back, turns


class SharedMasks:
    """The same mask for the n-th use of dropout in PyTorch and the n-th in Flax; PyTorch's pass has to run first.

    Args:
        seed: The seed of the masks.
        images: Whether arrays of four axes that fit as they are and with their channels moved too are images.
    """

    def __init__(self, seed: int, images: bool) -> None:
        self._seed, self._images = seed, images
        self._shapes: dict[int, tuple[int, ...]] = {}

    def torch(self, number: int, used: Dropped) -> NDArray:
        """The mask of one of PyTorch's uses of dropout, float64 of the shape that it acts on: zeros and 1 / (1 - rate).

        Args:
            number: The number of the use, from 0, in the order in which uses begin.
            used: Its shape and rate; a rate of 1 gives zeros alone.
        """
        self._shapes[number] = used.shape
        return self._mask(number, used)

    def flax(self, number: int, used: Dropped) -> NDArray:
        """The same mask in the layout of Flax's use.

        Where Flax has one number for several places of PyTorch's, the mask has PyTorch's shape; where PyTorch has no
        such use, Flax gets a mask of its own.
        """
        wanted = self._shapes.get(number, used.shape)
        fitting = [name for name, _ in turns(used.shape, wanted)]
        if spread(used.shape, wanted):
            return self._mask(number, Dropped(wanted, used.rate))
        if not fitting:
            return self._mask(number, used)
        is_image = self._images and len(wanted) == 4 and CHANNELS_LAST_TO_FIRST in fitting
        turn = CHANNELS_LAST_TO_FIRST if is_image else fitting[0]
        return turn_back(turn, self._mask(number, Dropped(wanted, used.rate)), used.shape)

    def _mask(self, number: int, used: Dropped) -> NDArray:
        if used.rate >= 1:
            return np.zeros(used.shape)
        generator = np.random.default_rng([self._seed, 4, number])
        return (generator.random(used.shape) >= used.rate) / (1.0 - used.rate)
