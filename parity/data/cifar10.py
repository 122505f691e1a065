"""CIFAR-10, the version for Python.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009;
https://www.cs.toronto.edu/~kriz/cifar.html, which also describes the files: each a pickled dictionary with b"data",
uint8 (n, 3072), all red, then green, then blue values of an image row by row, and b"labels", n integers.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity.data import download, folders
from parity.data.images import ImageSet, Split, hold_out_tenth
from parity.errors import UsageError

CHANNELS, SIDE = 3, 32
TEST = "test_batch"
# the publisher's, as torchvision.datasets.CIFAR10 lists them
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    TEST: "40351d587109b95175f43aff81a1287e",
}


def load_cifar10(
    folder: str | Path | None = None, *, fetch: bool = False, checksums: Mapping[str, str] = MD5
) -> ImageSet:
    """The 60,000 images as uint8 (N, 32, 32, 3), with 10 classes.

    Splits: 45,000 train and 5,000 validation, the same in every run, and the publisher's 10,000 test images. Each
    file's checksum is verified before anything in it is unpickled, and the unpickler makes NumPy arrays only.

    Args:
        folder: `cifar-10-batches-py` or the folder it is in; by default the project's data folder.
        fetch: whether to download it with torchvision if it is not there.
        checksums: MD5 of each file; "test_batch" is the test split, the others the training images.

    Raises:
        UsageError: the files are not there, or one is missing, truncated or altered; or the download failed.
    """
    root = Path(folder) if folder else folders.data_folder()
    places = [root / "cifar-10-batches-py", root]
    place = folders.first_with(places, checksums)
    if place is None and fetch:
        download.fetch("CIFAR10", root)
        place = folders.first_with(places, checksums)
    if place is None:
        raise folders.missing("CIFAR-10", [root], "name its folder with --data-dir DIR, or give --download")
    parts = {name: _read(place / name, md5) for name, md5 in checksums.items()}
    test = parts.pop(TEST)
    images, labels = ([getattr(part, field) for part in parts.values()] for field in ("images", "labels"))
    train, validation = hold_out_tenth(Split(np.concatenate(images), np.concatenate(labels)))
    return ImageSet("cifar10", {"train": train, "validation": validation, "test": test}, num_classes=10)


def _read(path: Path, md5: str) -> Split:
    data = folders.read(path)
    folders.verify(data, md5, path, "its content")
    try:
        entry = ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
        pixels, labels = entry[b"data"], np.array(entry[b"labels"], dtype=np.int64)
    except Exception as error:  # a pickle that is not what it seems can raise anything
        raise UsageError(f"{path} is no batch of CIFAR-10: {error}; delete it and get it again") from error
    expected = (len(labels), CHANNELS * SIDE * SIDE)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape != expected:
        got = f"{pixels.dtype} of shape {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise UsageError(f"{path}: its data are {got}; expected uint8 of shape {expected}, one row a label")
    planes = pixels.reshape(-1, CHANNELS, SIDE, SIDE)
    return Split(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels)


def _dtype(code: bytes | str, align: int = 0, copy: int = 0) -> np.dtype:
    """`numpy.dtype` as pickles of Python 2 call it, with 0 and 1 for what NumPy wants as booleans today."""
    return np.dtype(code.decode() if isinstance(code, bytes) else code, bool(align), bool(copy))


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles plain containers and NumPy arrays; any other name a pickle asks for is refused, not imported."""

    _reconstruct: Any = np.empty(0).__reduce__()[0]  # NumPy has no public name for it
    allowed: Mapping[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _dtype,
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # NumPy 1
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # NumPy 2
    }

    def find_class(self, module: str, name: str) -> Any:
        """The allowed object of that name.

        Raises:
            pickle.UnpicklingError: it is not allowed.
        """
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return self.allowed[module, name]
