"""A run's folder: its metrics, checkpoints and summary; one process at a time."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parity.errors import UsageError

METRICS, SUMMARY, CHECKPOINTS = "metrics.jsonl", "summary.json", "checkpoints"


def run_of(checkpoint: Path) -> Path | None:
    """The folder of the run that a checkpoint lies in; None where it lies by itself."""
    return checkpoint.parent.parent if checkpoint.parent.name == CHECKPOINTS else None


def require_empty(out: Path) -> None:
    """Raise UsageError unless the folder is new, empty, or what a run left that was killed before its first step."""
    if out.is_dir() and not any(map(_counts, out.rglob("*"))):
        return
    if os.path.lexists(out):
        raise UsageError(f"--out got {out}, which holds something already; name a new folder, or --resume {out}")


@contextmanager
def taken(out: Path) -> Iterator[Path]:
    """Make the run's folders, and hold them for this process alone until the end; give the folder of the checkpoints.

    Raises:
        UsageError: they cannot be written, or another run is at work there.
    """
    checkpoints = out / CHECKPOINTS
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"cannot make {checkpoints}: {error.strerror}; name a folder you can write to") from error
    try:
        _lock(descriptor, out)
        _clear(out)
        yield checkpoints
    finally:
        os.close(descriptor)  # which ends the lock, as the end of the process does


def _lock(descriptor: int, out: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:  # another error comes from a file system that has no locks
            raise UsageError(f"another run is at work in {out}; wait for its end, or name another --out") from error


def _clear(out: Path) -> None:
    """Remove what a killed run left half-written, and the summary, which the run's end writes anew."""
    try:
        for left in [*out.glob(".*.tmp"), *(out / CHECKPOINTS).glob(".*.tmp")]:
            left.unlink()
        (out / SUMMARY).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot change {out}: {error.strerror}; name a folder you can write to") from error


def _counts(path: Path) -> bool:
    """Whether a path is more than the leavings of `taken` or of an empty journal."""
    if path.is_dir() and not path.is_symlink():
        return path.name != CHECKPOINTS
    return path.lstat().st_size > 0 and not (path.name.startswith(".") and path.suffix == ".tmp")
