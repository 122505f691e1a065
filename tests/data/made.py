"""Made data files in the formats of the real ones."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def fashion_folder(folder: Path, *, compressed: bool = False, train: int = 30, test: int = 8) -> dict[str, str]:
    """Write the four files; their checksums."""
    rng = np.random.default_rng(7)
    checksums = {}
    for prefix, count in (("train", train), ("t10k", test)):
        for kind, array in (
            ("images-idx3", rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)),
            ("labels-idx1", rng.integers(0, 10, count, dtype=np.uint8)),
        ):
            name, data = f"{prefix}-{kind}-ubyte", idx(array)
            checksums[name] = md5(data)
            (folder / f"{name}.gz" if compressed else folder / name).write_bytes(
                gzip.compress(data) if compressed else data
            )
    return checksums


def cifar_batch(pixels: np.ndarray, labels: list[int], *, python2: bool) -> bytes:
    """One file: pickled by today's Python, or byte for byte as Python 2 and NumPy 1 wrote the real ones."""
    entry = {b"batch_label": b"training batch 1 of 5", b"labels": labels, b"data": pixels, b"filenames": [b"a.png"]}
    return _python2_pickle(pixels, labels) if python2 else pickle.dumps(entry, protocol=4)


def cifar_folder(
    folder: Path, *, python2: bool = True, count: int = 12
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Write the six files; their checksums and pixels (n, 3072)."""
    rng = np.random.default_rng(11)
    checksums, pixels = {}, {}
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        pixels[name] = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        data = cifar_batch(pixels[name], [int(label) for label in rng.integers(0, 10, count)], python2=python2)
        (folder / name).write_bytes(data)
        checksums[name] = md5(data)
    return checksums, pixels


def _short(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def _python2_pickle(pixels: np.ndarray, labels: list[int]) -> bytes:
    shape = b"".join(b"M" + struct.pack("<H", size) for size in pixels.shape)
    raw = pixels.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
        + shape
        + b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", len(raw))
        + raw
        + b"tb"
    )
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    items = _short(b"batch_label") + _short(b"training batch 1 of 5") + _short(b"labels") + listed
    return b"\x80\x02}(" + items + _short(b"data") + array + _short(b"filenames") + b"](" + _short(b"a.png") + b"eu."
