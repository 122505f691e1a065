"""Fashion-MNIST, brought to the shape of CIFAR-10's images.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", 2017; https://github.com/zalandoresearch/fashion-mnist.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.data import download, folders
from parity.data.idx import read_idx
from parity.data.images import ImageSet, Split, hold_out_tenth
from parity.errors import UsageError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
BORDER = 2  # 28 + 2·2 = 32
CHANNELS = 3
# of the uncompressed files, because Debian compresses them anew
MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


def load_fashion_mnist(
    folder: str | Path | None = None, *, fetch: bool = False, checksums: Mapping[str, str] = MD5
) -> ImageSet:
    """The 70,000 images as uint8 (N, 32, 32, 3): 28×28 with a border of zeros, three equal channels; 10 classes.

    Splits: 54,000 train and 6,000 validation, the same in every run, and the publisher's 10,000 test images.

    Args:
        folder: folder of the files, plain or .gz; by default Debian's, then the project's data folder.
        fetch: whether to download them with torchvision if they are not there.
        checksums: MD5 of each uncompressed file.

    Raises:
        UsageError: the files are not there, or one is missing, truncated or altered; or the download failed.
    """
    place = _find(folder, checksums)
    if place is None and fetch:
        download.fetch("FashionMNIST", Path(folder) if folder else folders.data_folder())
        place = _find(folder, checksums)
    if place is None:
        remedy = "apt install dataset-fashion-mnist, name its folder with --data-dir DIR, or give --download"
        raise folders.missing("Fashion-MNIST", _roots(folder), remedy)
    train, validation = hold_out_tenth(_split(place, "train", checksums))
    splits = {"train": train, "validation": validation, "test": _split(place, "t10k", checksums)}
    return ImageSet("fashion-mnist", splits, num_classes=10)


def _roots(folder: str | Path | None) -> list[Path]:
    return [Path(folder)] if folder else [DEBIAN, folders.data_folder()]


def _find(folder: str | Path | None, checksums: Mapping[str, str]) -> Path | None:
    places = [place for root in _roots(folder) for place in (root, root / "FashionMNIST" / "raw")]
    return folders.first_with(places, [name + suffix for name in checksums for suffix in ("", ".gz")])


def _split(place: Path, prefix: str, checksums: Mapping[str, str]) -> Split:
    images = _read(place, f"{prefix}-images-idx3-ubyte", checksums, ndim=3)
    labels = _read(place, f"{prefix}-labels-idx1-ubyte", checksums, ndim=1)
    padded = np.pad(images, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))
    return Split(np.repeat(padded[..., None], CHANNELS, axis=-1), labels.astype(np.int64))


def _read(place: Path, name: str, checksums: Mapping[str, str], ndim: int) -> NDArray[np.uint8]:
    plain = place / name
    path = plain if plain.is_file() else place / f"{name}.gz"
    array = read_idx(path, md5=checksums[name])
    if array.ndim != ndim:
        raise UsageError(f"{path} has {array.ndim} axes; expected {ndim}")
    return array
