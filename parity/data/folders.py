"""The folders of data files, and the reading of a file with one clear error."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from parity.errors import UsageError
from parity.files import cache_folder


def data_folder() -> Path:
    """The project's data folder; it need not exist.

    $NETPARITY_DATA, else $XDG_CACHE_HOME/netparity/data, else ~/.cache/netparity/data.
    """
    folder = os.environ.get("NETPARITY_DATA")
    return Path(folder) if folder else cache_folder() / "data"


def first_with(folders: Iterable[Path], files: Iterable[str]) -> Path | None:
    """The first folder that holds any of the files, or None."""
    names = tuple(files)
    return next((folder for folder in folders if any((folder / name).is_file() for name in names)), None)


def missing(title: str, looked_in: Iterable[Path], remedy: str) -> UsageError:
    """Make the error for a data set that is not there."""
    places = ", ".join(str(folder) for folder in looked_in)
    return UsageError(f"{title} is not in {places}; {remedy}")


def read(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UsageError: it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}; get the whole data set again or name another folder with --data-dir"
        ) from error


def verify(data: bytes, md5: str, path: Path, what: str) -> None:
    """Compare the MD5 sum of `data` with the published one.

    MD5 is what the publishers give; it finds damage. Against malice the bytes are never trusted anyway.

    Raises:
        UsageError: they differ; `what` says what the sum is over.
    """
    got = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if got != md5:
        raise UsageError(
            f"{path} is truncated or altered: the MD5 of {what} is {got}, expected {md5}; delete it and get it again"
        )
