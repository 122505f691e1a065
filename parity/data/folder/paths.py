"""Image files by split and class, in a folder or a zip of it: `train/CLASS/*`, `test/CLASS/*`, perhaps `val/CLASS/*`.

Nothing here looks into an image, and nothing is unpacked to the disk.
"""

import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from parity.data.folder.tree import LAYOUT, SPLITS, Entry, Tree, arranged, is_hidden
from parity.errors import UsageError

MOST_BYTES = 256 * 2**20
"""Largest size of one file. A zip may understate the size of an entry, so what is read is bounded too."""


@dataclass(frozen=True)
class Files:
    """The image files of a data set, listed.

    Attributes:
        where: the folder or zip, as the user named it.
        name: the data set's name: that of the folder, of the zip's one top folder, or of the zip without its ending.
        tree: split → class → files, all in the order of their names.
        read: function that gives the bytes of a file; it raises UsageError, with the path, if it cannot read it whole.
    """

    where: Path
    name: str
    tree: Tree
    read: Callable[[Entry], bytes]

    def path(self, entry: Entry) -> str:
        """The file's name in messages."""
        return f"{self.where}/{entry.path}"


@contextmanager
def opened(where: Path) -> Iterator[Files]:
    """List a folder, or a zip whose paths may all lie in one top folder; a zip is closed at the end.

    Raises:
        UsageError: neither is there, a file or folder is where none is expected, a class is empty or lacks in one
            split, or the zip is damaged, encrypted, or has a path that leaves it.
    """
    try:
        mode = where.stat().st_mode
    except OSError as error:
        raise UsageError(f"cannot read {where}: {error.strerror}; name {LAYOUT} with --data-dir") from error
    if stat.S_ISDIR(mode):
        yield _folder(where)
    elif stat.S_ISREG(mode):
        with _zip(where) as files:
            yield files
    else:
        raise UsageError(f"{where} is neither a folder nor a zip; name {LAYOUT} with --data-dir")


def _folder(where: Path) -> Files:
    def read(entry: Entry) -> bytes:
        path = where / entry.path
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}; mend it or remove it") from error
        return _bounded(data, str(path))

    try:
        entries = list(_scan(where))
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}; mend it or remove it") from error
    return Files(where, where.resolve().name, arranged(where, entries), read)


def _scan(where: Path) -> Iterator[Entry]:
    """All entries of the splits' folders, to two levels; what lies deeper is ignored."""
    for split in SPLITS:
        for group in sorted((where / split).iterdir()) if (where / split).is_dir() else ():
            yield _entry(where, group)
            for path in sorted(group.iterdir()) if group.is_dir() and not is_hidden(group.name) else ():
                yield _entry(where, path)


def _entry(where: Path, path: Path) -> Entry:
    relative = path.relative_to(where).as_posix()
    if is_hidden(relative):
        return Entry(relative, 0, "")
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return Entry(f"{relative}/", 0, "")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is no regular file; remove it")
    return Entry(relative, status.st_size, str(status.st_mtime_ns))


@contextmanager
def _zip(where: Path) -> Iterator[Files]:
    try:
        archive = zipfile.ZipFile(where)
    except Exception as error:  # a file that is not what it seems can raise anything
        raise UsageError(f"{where} is no zip that can be read: {error}; name {LAYOUT} with --data-dir") from error
    with archive:
        infos = {info.filename: info for info in archive.infolist()}
        if len(infos) != len(archive.infolist()):
            raise UsageError(f"{where} has two entries of one name; zip the folder again")
        top = _top(where, infos)

        def read(entry: Entry) -> bytes:
            name = top + entry.path
            if infos[name].file_size > MOST_BYTES:
                return _bounded(None, f"{where}/{name}")
            try:
                with archive.open(infos[name]) as file:
                    data = file.read(MOST_BYTES + 1)
            except Exception as error:
                raise UsageError(f"cannot read {where}/{name}: {error}; zip the folder again") from error
            return _bounded(data, f"{where}/{name}")

        entries = [
            Entry(name[len(top) :], info.file_size, f"{info.date_time}{info.CRC}")
            for name, info in sorted(infos.items())
            if name.startswith(top)
        ]
        yield Files(where, top.rstrip("/") or where.stem, arranged(where, entries), read)


def _top(where: Path, names: Iterable[str]) -> str:
    """The one folder above the splits in a zip, with a slash; "" if the splits lie at the top."""
    parts = [_parts(where, name) for name in names if not is_hidden(name)]
    if any(folders[0] in SPLITS and len(folders) > 1 for folders in parts):
        return ""
    tops = sorted({folders[0] for folders in parts if len(folders) > 2 and folders[1] in SPLITS})
    if len(tops) > 1:
        raise UsageError(f"{where} holds {' and '.join(tops[:2])}, both with images; name {LAYOUT} with --data-dir")
    return f"{tops[0]}/" if tops else ""


def _parts(where: Path, name: str) -> tuple[str, ...]:
    """The folders and the file of a path in a zip."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or ":" in parts[0] or ".." in parts:
        raise UsageError(f"{where} has an entry {name!r}, whose path leaves it; zip the folder again")
    return parts


def _bounded(data: bytes | None, path: str) -> bytes:
    if data is None or len(data) > MOST_BYTES:
        raise UsageError(f"{path} is of more than {MOST_BYTES:,} bytes, which no image here may be; remove it")
    return data
