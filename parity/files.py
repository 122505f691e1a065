"""Output files: written to a temporary name beside the target, then renamed."""

import errno
import os
import re
import stat
import tempfile
from pathlib import Path

from parity.errors import UsageError


def cache_folder() -> Path:
    """The project's folder for files that can be made again; it need not exist.

    $XDG_CACHE_HOME/netparity, else ~/.cache/netparity.
    """
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "netparity"


def write_atomically(path: str | Path, content: bytes | str) -> Path:
    """Write `content` to `path`, text as UTF-8, so that the file is the old one or the whole new one, never half of it.

    Returns:
        `path`.

    Raises:
        UsageError: the folder does not exist or cannot be written to, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # what a link points to is written, not the link
    data = content.encode() if isinstance(content, str) else content
    try:
        mode = target.stat().st_mode if target.exists() else stat.S_IFREG | (0o666 & ~_umask())
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise UsageError(f"cannot write {path}: it is not a regular file; name a file")
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name a file in a folder you can write to") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(stat.S_IMODE(mode))
        Path(name).replace(target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}; what was there before is unchanged") from error
    return Path(path)


def require_writable(option: str, path: str | None) -> None:
    """Raise UsageError where a result could not be written to `path`: before the work, not after it."""
    if path is not None and (Path(path).is_dir() or not Path(path).absolute().parent.is_dir()):
        raise UsageError(f"{option} got {path}; expected a file name in a folder that exists")


def file_name(name: str) -> str:
    """A pair's name as the name of a file."""
    return re.sub(r"[^\w.\-]+", "_", name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
