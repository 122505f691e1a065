"""The form that every image data set has."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import integer
from parity.errors import UsageError

SPLIT_SEED = 0  # which images are held out for validation: the same in every run


@dataclass(frozen=True)
class Split:
    """Some images of a set.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int64 (N,), class indices from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class ImageSet:
    """A data set of images, checked when it is made.

    Attributes:
        name: the name that `load_images` takes.
        splits: name of the split → its images; this package's sets have "train", "validation" and "test".
        num_classes: number of classes; labels run from 0 to one below.

    Raises:
        UsageError: a split is empty, has another dtype or shape than `Split` says, another number of labels than of
            images, or a label out of range; or there is no split, or no class.
    """

    name: str
    splits: Mapping[str, Split]
    num_classes: int

    def __post_init__(self) -> None:
        integer(f"number of classes of {self.name}", self.num_classes, least=1)
        if not self.splits:
            raise UsageError(f"{self.name} has no split; give at least one")
        for name, split in self.splits.items():
            _check(f"{self.name}, split {name!r}", split, self.num_classes)


def hold_out(split: Split, count: int) -> tuple[Split, Split]:
    """Part `count` images off a split, drawn without replacement; both parts stay in the order of the split.

    Returns:
        The rest (N - count images) and the part (count images); no image is in both.

    Raises:
        UsageError: the count is not from 1 to N - 1.
    """
    size = len(split.labels)
    count = integer("number of images held out", count, least=1, below=size)
    chosen = np.zeros(size, dtype=bool)
    chosen[np.random.default_rng(SPLIT_SEED).choice(size, count, replace=False)] = True
    return Split(split.images[~chosen], split.labels[~chosen]), Split(split.images[chosen], split.labels[chosen])


def hold_out_tenth(whole: Split) -> tuple[Split, Split]:
    """Part a tenth of a published training set off for validation, at least one image; see `hold_out`."""
    return hold_out(whole, max(1, len(whole.labels) // 10))


def _check(where: str, split: Split, num_classes: int) -> None:
    images, labels = split.images, split.labels
    _expect(where, "images", images, np.uint8, "uint8 of shape (N, H, W, C)", 4)
    _expect(where, "labels", labels, np.int64, "int64 of shape (N,)", 1)
    if len(images) != len(labels):
        raise UsageError(f"{where}: got {len(images)} images and {len(labels)} labels; give one label an image")
    if images.size == 0:
        raise UsageError(f"{where}: got images of shape {images.shape}; give at least one image and no empty axis")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise UsageError(
            f"{where}: got labels from {labels.min()} to {labels.max()}; "
            f"expected 0 to {num_classes - 1}, for {num_classes} classes"
        )


def _expect(where: str, what: str, array: NDArray, dtype: type, expected: str, ndim: int) -> None:
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{where}: {what} are a {type(array).__name__}; give a NumPy array, {expected}")
    if array.dtype != dtype or array.ndim != ndim:
        raise UsageError(f"{where}: {what} are {array.dtype} of shape {array.shape}; expected {expected}")
