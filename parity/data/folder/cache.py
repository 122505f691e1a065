"""Decoded images, kept under the project's cache folder so that a data set is decoded once."""

import errno
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.data.folder.decode import decode, pillow
from parity.data.folder.paths import Files
from parity.data.images import Split
from parity.errors import UsageError
from parity.files import cache_folder

FORMAT = "netparity-images/1"
ABOUT = "about.json"
EVERY = 5.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Decoded:
    """A data set in memory.

    Attributes:
        splits: name of the split's folder, "train", "test" and perhaps "val" → its images and labels.
        classes: names of the classes; the index of a name is its label.
        digest: SHA-256 in hexadecimal of all pixels, labels and names of classes: equal for equal images.
    """

    splits: Mapping[str, Split]
    classes: tuple[str, ...]
    digest: str


def cached(files: Files, size: int | None) -> Decoded:
    """The images of a data set, from the cache if the names, sizes and times of its files are the same, else decoded.

    Args:
        files: the image files.
        size: height and width that all are brought to; None takes them as they are.

    Raises:
        UsageError: a file cannot be decoded, two images differ in size where none is asked for, or the cache cannot be
            written; nothing is kept then.
    """
    key = key_of(files, size)
    if key not in _latest:
        decoded = _from_disk(files, size, cache_folder() / "images" / key)
        _latest.clear()
        _latest[key] = decoded
    return _latest[key]


_latest: dict[str, Decoded] = {}
"""Key → the data set that was read last, kept because a run opens the same images for each of its splits."""


def _from_disk(files: Files, size: int | None, place: Path) -> Decoded:
    decoded = _read(place, files)
    if decoded is not None:
        return decoded
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _renamed(place) as fresh:
            _decode(files, size, fresh)
    except OSError as error:
        raise UsageError(
            f"cannot keep the decoded images in {place.parent}: {error.strerror}; "
            "name a folder with room for them in XDG_CACHE_HOME"
        ) from error
    decoded = _read(place, files)
    if decoded is None:
        raise UsageError(f"{place} changed while it was read; say it again")
    return decoded


def key_of(files: Files, size: int | None) -> str:
    """SHA-256 in hexadecimal of names, sizes and times of the files, and of all else that decides what they become."""
    total = hashlib.sha256(f"{FORMAT} {pillow()} {size}\n".encode())
    for classes in files.tree.values():
        for entries in classes.values():
            for entry in entries:
                total.update(f"{entry.path}\0{entry.size}\0{entry.stamp}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


@contextmanager
def _renamed(place: Path) -> Iterator[Path]:
    """A temporary folder, which gets the name `place` at the end, or is removed if the end is not reached."""
    fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name[:16]}.", suffix=".tmp"))
    try:
        yield fresh
        _remove(place)  # it could not be read
        fresh.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # else another process was faster
            raise
    finally:
        _remove(fresh)


def _remove(folder: Path) -> None:
    """Remove a folder of files, if it is there."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()


def _decode(files: Files, size: int | None, fresh: Path) -> None:
    total = sum(len(entries) for classes in files.tree.values() for entries in classes.values())
    done, printed, first = 0, time.monotonic(), None
    for split, classes in files.tree.items():
        count, array = sum(map(len, classes.values())), None
        for entry in (entry for entries in classes.values() for entry in entries):
            image = decode(files.read(entry), files.path(entry), size)
            first = first or (image.shape, files.path(entry))
            if image.shape != first[0]:
                raise UsageError(
                    f"{files.path(entry)} has {_pixels(image.shape)} pixels, {first[1]} has {_pixels(first[0])}; "
                    "ask for a size, or make them alike"
                )
            if array is None:
                shape = (count, *image.shape)
                array = np.lib.format.open_memmap(fresh / f"{split}.npy", "w+", np.uint8, shape)
                row = 0
            array[row] = image
            row, done = row + 1, done + 1
            if time.monotonic() - printed > EVERY:
                printed = time.monotonic()
                print(f"decoding {files.name}: {done:,} of {total:,} images", file=sys.stderr, flush=True)
        del array  # which writes it
    about = {"counts": {s: {c: len(e) for c, e in classes.items()} for s, classes in files.tree.items()}}
    decoded = _load(fresh, about)
    (fresh / ABOUT).write_text(json.dumps({"format": FORMAT, **about, "sha256": decoded.digest}))
    for path in fresh.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _read(place: Path, files: Files) -> Decoded | None:
    """The data set as the cache has it; None if it is not there or not whole."""
    wanted = {s: {c: len(e) for c, e in classes.items()} for s, classes in files.tree.items()}
    try:
        about = json.loads((place / ABOUT).read_text())
        if about["format"] != FORMAT or about["counts"] != wanted:
            return None
        decoded = _load(place, about)
    except (OSError, ValueError, KeyError, TypeError, EOFError):  # altered, or not there
        return None
    return decoded if decoded.digest == about["sha256"] else None


def _load(place: Path, about: Mapping[str, Any]) -> Decoded:
    counts: Mapping[str, Mapping[str, int]] = about["counts"]
    splits, total = {}, hashlib.sha256()
    for split, by_class in counts.items():
        images: NDArray[np.uint8] = np.load(place / f"{split}.npy")
        labels = np.repeat(np.arange(len(by_class)), list(by_class.values()))
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) != len(labels):
            raise ValueError(f"{split}.npy is {images.dtype} of shape {images.shape}")
        splits[split] = Split(images, labels)
        total.update(json.dumps([split, [*by_class.items()], images.shape]).encode())
        total.update(np.ascontiguousarray(images).data)
    return Decoded(splits, tuple(counts["train"]), total.hexdigest())


def _pixels(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
