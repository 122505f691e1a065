"""The source files that a pair is made of: its own, and what that imports from its folder."""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from parity.errors import UsageError
from parity.interface.user_code import NOT_USERS
from parity.repairs.source.files import SourceFile

MOST = 500
"""Files of one pair that are looked at."""


class Project:
    """The files of a pair.

    Args:
        target: the file whose function makes the pair.
        texts: file → its text, where that is another one than on the disk.

    Raises:
        UsageError: the target's file cannot be read.
    """

    def __init__(self, target: Path, texts: Mapping[Path, str] | None = None) -> None:
        self.target, self._texts = target.resolve(), dict(texts or {})
        self.files: dict[Path, SourceFile] = {}
        open_ = [self.target]
        while open_ and len(self.files) < MOST:
            path = open_.pop()
            if path not in self.files and (file := self._read(path)) is not None:
                self.files[path] = file
                open_ += [imported for imported in self._imports(file) if imported not in self.files]
        if self.target not in self.files:
            raise UsageError(f"{target} cannot be read as Python; give path/to/file.py:function")

    @property
    def texts(self) -> dict[Path, str]:
        """File → its text."""
        return {path: file.text for path, file in self.files.items()}

    def with_texts(self, texts: Mapping[Path, str]) -> "Project":
        """The same files, some with another text."""
        return Project(self.target, {**self._texts, **texts})

    def _read(self, path: Path) -> SourceFile | None:
        try:
            text = self._texts[path] if path in self._texts else text_of(path)
            file = SourceFile(path, text)
            file.tree  # noqa: B018 # whether it is Python
        except (OSError, SyntaxError, ValueError):
            return None
        return file

    def _imports(self, file: SourceFile) -> Iterator[Path]:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from _files_of(alias.name.split("."), self._folders())
            elif isinstance(node, ast.ImportFrom):
                folders = [file.path.parents[node.level - 1]] if node.level else self._folders()
                parts = node.module.split(".") if node.module else []
                yield from _files_of(parts, folders)
                for alias in node.names:
                    yield from _files_of([*parts, alias.name], folders)

    def _folders(self) -> Sequence[Path]:
        """Where modules of the user's are looked for."""
        others = (Path(place or ".").resolve() for place in sys.path)
        return [self.target.parent, *(p for p in others if p.is_dir() and not installed(p))]

    def at(self, place: str) -> Iterator[tuple[SourceFile, int]]:
        """The files and the line that a place such as "net.py:12" may mean."""
        name, _, line = place.rpartition(":")
        if line.isdecimal():
            yield from ((file, int(line)) for file in self.files.values() if file.path.name == name)


INSTALLED = NOT_USERS | {path.resolve() for path in NOT_USERS}
"""Folders of what is not the user's code, also by the names that links have for them."""


def installed(path: Path) -> bool:
    """Whether a file or folder is in Python's own folders, those of installed libraries, or ours."""
    return bool(INSTALLED & {path, *path.parents})


def text_of(path: Path) -> str:
    """A file's text; its line ends are kept as they are.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not in UTF-8.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _files_of(parts: Sequence[str], folders: Sequence[Path]) -> Iterator[Path]:
    """The files that are run when a module of that name is imported, those of its packages too."""
    for folder in folders:
        resolved = False
        for count in range(1, len(parts) + 1):
            place = folder.joinpath(*parts[:count])
            for path in (place / "__init__.py", place.with_suffix(".py")):
                if path.is_file() and not installed(path):
                    resolved = True
                    yield path.resolve()
        if resolved:
            return
