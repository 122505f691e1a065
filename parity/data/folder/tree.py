"""Paths of image files, brought into splits and classes and checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.errors import UsageError

SPLITS = ("train", "val", "test")
NEEDED = ("train", "test")
LAYOUT = "a folder of train/CLASS/* and test/CLASS/*, or a zip of it,"
HIDDEN = ("__MACOSX", "Thumbs.db", "desktop.ini")
"""Names that operating systems leave among files; names that begin with a dot are hidden too."""


@dataclass(frozen=True)
class Entry:
    """A file, or a folder.

    Attributes:
        path: path below the folder that holds the splits, with slashes; a folder's ends with one.
        size: size in bytes.
        stamp: time at which it was written, in a zip with the zip's checksum of it.
    """

    path: str
    size: int
    stamp: str


Tree = Mapping[str, Mapping[str, Sequence[Entry]]]


def is_hidden(path: str) -> bool:
    """Whether an operating system left a file there, rather than a user."""
    return any(part in HIDDEN or (part.startswith(".") and part != "..") for part in path.split("/"))


def arranged(where: Path, entries: Iterable[Entry]) -> Tree:
    """Arrange entries as split → class → files; classes are in the order of their names, files in that of `entries`.

    Raises:
        UsageError: a split is not there, or is there and empty; a class is empty, or one split lacks it; or a file or
            a folder lies where none is expected.
    """
    tree: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        split, *rest = entry.path.rstrip("/").split("/")
        if split not in SPLITS or is_hidden(entry.path):
            continue
        classes, is_folder = tree.setdefault(split, {}), entry.path.endswith("/")
        if len(rest) > 2 or (len(rest) == 2 and is_folder):
            raise UsageError(f"{where}/{entry.path} lies below a class's folder; put its images into {split}/{rest[0]}")
        if len(rest) == 1 and not is_folder:
            raise UsageError(f"{where}/{entry.path} is in no class's folder; put it into {split}/CLASS, or remove it")
        if rest:
            files = classes.setdefault(rest[0], [])
            files += [entry] if len(rest) == 2 else []
    ordered = {s: {c: tree[s][c] for c in sorted(tree[s])} for s in SPLITS if s in tree}
    _require_whole(where, ordered)
    return ordered


def _require_whole(where: Path, tree: Tree) -> None:
    for split in (*NEEDED, *tree):
        if not tree.get(split):
            raise UsageError(f"{where} holds no {split}/CLASS; name {LAYOUT} with --data-dir")
    for split, classes in tree.items():
        for name, files in classes.items():
            if not files:
                raise UsageError(f"{where}/{split}/{name} holds no image; put some there, or remove the class")
            if lacking := [other for other in tree if name not in tree[other]]:
                raise UsageError(
                    f"{where} has class {name} in {split} but not in {lacking[0]}; each split needs the same classes"
                )
