"""The sources of a stream's batches: arrays, images, or palindromes without end."""

from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import generator
from parity.data.augment import Augmenter, draw_augmentation, normalise
from parity.data.batch import Batch
from parity.data.images import Split
from parity.data.palindromes import Encoding, palindromes

Key = tuple[str | int, ...]  # names a random stream


class Finite(Protocol):
    """A set of `size` samples."""

    size: int

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` of the epoch named by `key`."""

    def evaluate(self, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` in the set's own order, never augmented."""


class Arrays:
    """A source whose inputs need no further work.

    Args:
        samples: all samples, as one batch.
        shuffle: whether each epoch has an order of its own.
    """

    def __init__(self, samples: Batch, *, shuffle: bool) -> None:
        self.size = len(samples.labels)
        self._samples = samples
        self._order = Order(self.size, shuffle=shuffle)

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` of the epoch named by `key`."""
        return self._take(self._order.of(key)[start:stop])

    def evaluate(self, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` in the set's own order, never augmented."""
        return self._take(np.arange(start, stop))

    def _take(self, indices: NDArray[np.int64]) -> Batch:
        return self._samples.part(indices)


class Images:
    """A source of images, normalised when a batch is taken and, if wanted, augmented in training.

    Args:
        split: the images, uint8 (N, H, W, 3).
        shuffle: whether each epoch has an order of its own.
        augment: whether `train` augments.
    """

    def __init__(self, split: Split, *, shuffle: bool, augment: bool) -> None:
        self.size = len(split.labels)
        self._split = split
        self._augment = augment
        self._order = Order(self.size, shuffle=shuffle)

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` of the epoch named by `key`, augmented if the source augments."""
        indices = self._order.of(key)[start:stop]
        if not self._augment:
            return self._take(indices)
        offsets, flips = self._order.augmentation(key)
        return Batch(self._augmenter(indices, offsets[start:stop], flips[start:stop]), self._split.labels[indices])

    def evaluate(self, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` in the set's own order, never augmented."""
        return self._take(np.arange(start, stop))

    def _take(self, indices: NDArray[np.int64]) -> Batch:
        return Batch(normalise(self._split.images[indices]), self._split.labels[indices])

    @cached_property
    def _augmenter(self) -> Augmenter:
        return Augmenter(self._split.images)


class Order:
    """The order and the augmentation that are drawn once an epoch, and kept for the epoch's other batches."""

    def __init__(self, size: int, *, shuffle: bool) -> None:
        self._size = size
        self._shuffle = shuffle
        self._orders: dict[Key, NDArray[np.int64]] = {}
        self._augmentations: dict[Key, tuple[NDArray[np.int64], NDArray[np.bool_]]] = {}

    def of(self, key: Key) -> NDArray[np.int64]:
        """Indices of the samples, int64 (N,), in the epoch's order."""
        if key not in self._orders:
            order = generator(*key, "order").permutation(self._size) if self._shuffle else np.arange(self._size)
            self._orders = {key: order}
        return self._orders[key]

    def augmentation(self, key: Key) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Offsets, int64 (N, 2), and flips, bool (N,), in the epoch's order."""
        if key not in self._augmentations:
            drawn = draw_augmentation(self._size, generator(*key, "offsets"), generator(*key, "flips"))
            self._augmentations = {key: drawn}
        return self._augmentations[key]


class Endless:
    """A source that draws fresh palindromes for every batch.

    Args:
        length: length T of the palindromes.
        encoding: form of the inputs, "digits" or "one-hot".
    """

    def __init__(self, length: int, encoding: Encoding) -> None:
        self._length = length
        self._encoding = encoding

    def draw(self, key: Key, step: int, count: int) -> Batch:
        """The batch of `count` palindromes of a step, the same for the same key and step."""
        return palindromes(count, self._length, generator(*key, step), encoding=self._encoding)
