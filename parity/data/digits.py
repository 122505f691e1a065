"""scikit-learn's handwritten digits, enlarged to the size of CIFAR-10's images: real images that need no download."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import require_package
from parity.data.images import ImageSet, Split, hold_out

SIDE, NEW_SIDE, CHANNELS = 8, 32, 3
WHITE = 16  # the brightest value of a pixel
TEST, VALIDATION = 360, 180  # of 1,797; ours


def load_digits() -> ImageSet:
    """The 1,797 digits as uint8 (N, 32, 32, 3), three equal channels, with 10 classes.

    Splits: 1,257 train, 180 validation, 360 test, the same in every run. The images come with scikit-learn: UCI's
    "Optical Recognition of Handwritten Digits", 8×8 pixels of 0 to 16.
    """
    small = load_small_digits()
    return ImageSet(
        "digits",
        {name: replace(split, images=enlarge(split.images[..., 0])) for name, split in small.splits.items()},
        10,
    )


def load_small_digits() -> ImageSet:
    """The same digits in the same splits as they are, uint8 (N, 8, 8, 1), from 0 to 16."""
    require_package("sklearn", "the data set digits")
    from sklearn import datasets

    bunch = datasets.load_digits()
    whole = Split(bunch.images.astype(np.uint8)[..., None], bunch.target.astype(np.int64))
    rest, test = hold_out(whole, TEST)
    train, validation = hold_out(rest, VALIDATION)
    return ImageSet("digits, 8×8", {"train": train, "validation": validation, "test": test}, num_classes=10)


def enlarge(images: NDArray) -> NDArray[np.uint8]:
    """Bilinear interpolation from 8×8 to 32×32, pixel centers aligned, edges repeated; 16 becomes 255.

    All steps before the final rounding are exact in float64, so the result is the same on every machine.

    Args:
        images: (N, 8, 8), integers 0 to 16 of any dtype.

    Returns:
        uint8 (N, 32, 32, 3), three equal channels.
    """
    rows = _bilinear(SIDE, NEW_SIDE)
    grey = np.rint(rows @ images.astype(np.float64) @ rows.T * (255 / WHITE)).astype(np.uint8)
    return np.repeat(grey[..., None], CHANNELS, axis=-1)


def _bilinear(old: int, new: int) -> NDArray[np.float64]:
    """The matrix (new, old) that resamples a line of pixels."""
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    distances = np.abs(np.clip(centers, 0, old - 1)[:, None] - np.arange(old))
    return np.maximum(0.0, 1.0 - distances)
