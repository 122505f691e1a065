"""Source files of the user's that are run with another text than they have on the disk."""

import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

_TEXTS: dict[Path, str] = {}


class PatchedLoader(SourceFileLoader):
    """Loads a module from a text that stands for its file's; nothing is kept beside the file."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the text, under the file's name."""
        text = _TEXTS[Path(self.path).resolve()]
        linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)
        return compile(text.removeprefix("\ufeff"), self.path, "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str:
        """Give the text."""
        return _TEXTS[Path(self.path).resolve()]


class _Finder(MetaPathFinder):
    """Finds modules as Python does, and has those that are patched loaded from their texts."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None and (loader := loader_of(fullname, Path(spec.origin))):
            spec.loader = loader
            return spec
        return None


def loader_of(name: str, path: Path) -> PatchedLoader | None:
    """What loads a file as a module of that name, if the file is patched."""
    return PatchedLoader(name, str(path)) if path.resolve() in _TEXTS else None


@contextmanager
def patched(texts: Mapping[str, str]) -> Iterator[None]:
    """Have files loaded with other texts meanwhile; modules that are loaded already stay what they are.

    Args:
        texts: path of each file → its text.
    """
    finder, before = _Finder(), dict(_TEXTS)
    _TEXTS.update({Path(path).resolve(): text for path, text in texts.items()})
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _TEXTS.clear()
        _TEXTS.update(before)
