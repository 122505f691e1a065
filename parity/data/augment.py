"""The study's augmentation of training images (docs/the-study.md, part II), in vectorised NumPy.

Pad by 4 with zeros, crop at random to the size before, flip horizontally with probability ½, scale to [0, 1],
normalise. Every step rounds as torchvision's `pad`, `crop`, `hflip`, `to_tensor`, `normalize` do, so for the same
offsets and flips the result is bit-equal to theirs.
"""

import numpy as np
from numpy.typing import NDArray

from parity.errors import UsageError

PAD = 4
FLIP_PROBABILITY = 0.5
MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32)
STD = np.array([0.2470, 0.2435, 0.2616], np.float32)
CHANNELS = len(MEAN)
WHITE = np.float32(255)


class Augmenter:
    """Images laid out so that a crop, mirrored or not, is a window: one gather of rows makes a batch.

    The images stand below one another, PAD rows of zeros apart; right of each stands its mirror image, PAD columns
    apart. That takes (H + PAD)·(2W + 3·PAD)·3 bytes an image beside the images' own H·W·3: 8,208 for 32×32 pixels,
    or 369 MB for CIFAR-10's 45,000.

    Args:
        images: uint8 (N, H, W, 3).

    Raises:
        UsageError: the images have another dtype or shape.
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        count, height, width, channels = self._shape = _check_images(images)
        self._pitch = height + PAD
        sheet = np.zeros((count * self._pitch + PAD, 2 * width + 3 * PAD, channels), np.uint8)
        cells = sheet[PAD:].reshape(count, self._pitch, -1, channels)
        cells[:, :height, PAD : PAD + width] = images
        cells[:, :height, 2 * PAD + width : -PAD] = images[:, :, ::-1]
        self._windows: NDArray = np.ndarray(
            (len(sheet) - height + 1, sheet.shape[1] - width + 1, height),
            dtype=f"V{width * channels}",  # a row of a window as one item, so that NumPy copies it at once
            buffer=sheet,
            strides=(sheet.strides[0], sheet.strides[1], sheet.strides[0]),
        )

    def __call__(self, indices: NDArray[np.int64], offsets: NDArray[np.int64], flips: NDArray[np.bool_]) -> NDArray:
        """Augment some of the images.

        Args:
            indices: int (B,), which images.
            offsets: int (B, 2), top and left edge of the crop in the padded image, 0 to 2·PAD.
            flips: bool (B,), whether to mirror the crop.

        Returns:
            float32 (B, H, W, 3), normalised.

        Raises:
            UsageError: an argument has another shape or kind, or an index or offset is out of range.
        """
        count, height, width, channels = self._shape
        _check_choices(indices, offsets, flips, count)
        top, left = offsets[:, 0], offsets[:, 1]
        columns = np.where(flips, width + 3 * PAD - left, left)  # in the mirror image, the crop begins at 2·PAD - left
        rows = self._windows[indices * self._pitch + top, columns]
        return normalise(rows.view(np.uint8).reshape(len(indices), height, width, channels))


def augment(images: NDArray[np.uint8], offsets: NDArray[np.int64], flips: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Augment each image once; see `Augmenter`, which is faster when the same images are wanted again.

    Args:
        images: uint8 (N, H, W, 3).
        offsets: int (N, 2), top and left edge of each crop in the padded image, 0 to 8.
        flips: bool (N,).

    Returns:
        float32 (N, H, W, 3).

    Raises:
        UsageError: an argument has another dtype or shape, or an offset is out of range.
    """
    return Augmenter(images)(np.arange(len(images)), offsets, flips)


def draw_augmentation(
    count: int, offsets: np.random.Generator, flips: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw offsets, int64 (count, 2), uniform in 0 to 8, and flips, bool (count,), each from its own random stream."""
    return offsets.integers(2 * PAD + 1, size=(count, 2)), flips.random(count) < FLIP_PROBABILITY


def normalise(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(x / 255 - MEAN) / STD for each channel, rounded to float32 after each step.

    Args:
        images: uint8 (N, H, W, 3).

    Returns:
        float32, of the same shape.

    Raises:
        UsageError: the images have another dtype or shape.
    """
    count, height, width, _ = shape = _check_images(images)
    flat = images.reshape(count, -1).astype(np.float32)
    flat /= WHITE  # in place and over whole images: the longer NumPy's inner loop, the faster
    flat -= np.tile(MEAN, height * width)
    flat /= np.tile(STD, height * width)
    return flat.reshape(shape)


def _check_images(images: NDArray) -> tuple[int, int, int, int]:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != CHANNELS:
        raise UsageError(f"images are {images.dtype} of shape {images.shape}; expected uint8 of shape (N, H, W, 3)")
    count, height, width, channels = images.shape
    return count, height, width, channels


def _check_choices(indices: NDArray, offsets: NDArray, flips: NDArray, count: int) -> None:
    size = len(indices)
    if offsets.shape != (size, 2) or offsets.dtype.kind not in "iu":
        raise UsageError(
            f"offsets are {offsets.dtype} of shape {offsets.shape}; expected integers of shape ({size}, 2)"
        )
    if flips.shape != (size,) or flips.dtype != np.bool_:
        raise UsageError(f"flips are {flips.dtype} of shape {flips.shape}; expected bool of shape ({size},)")
    for what, values, top in (("offsets", offsets, 2 * PAD), ("indices", indices, count - 1)):
        if size and (values.min() < 0 or values.max() > top):
            raise UsageError(f"{what} run from {values.min()} to {values.max()}; expected 0 to {top}")
