"""What a process does to files while it reads one, and what it starts or unpickles."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401 - it writes its cache when it is first imported
import pytest

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TOUCHES = (
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "shutil.rmtree",
)  # fmt: skip
STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "socket.connect",
    "pickle.find_class",
)


class Hook:
    """Python's own notes of what is done, see PEP 578; a hook cannot be taken away again, so that it has a switch."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        if event == "open" and arguments[2] & WRITES and not isinstance(arguments[0], int):
            self.seen.append(f"open {os.path.realpath(os.fsdecode(arguments[0]))}")
        elif event in TOUCHES:
            self.seen += [
                f"{event} {os.path.realpath(os.fsdecode(a))}" for a in arguments if isinstance(a, str | bytes)
            ]
        elif event in STARTS:
            self.seen.append(f"{event} {arguments!r}")

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """What is done meanwhile."""
        seen: list[str] = []
        self.seen = seen
        try:
            yield seen
        finally:
            self.seen = None


HOOK = Hook()


class Sealed:
    """A folder that holds all that may be written by default: the working folder, the home, the caches.

    Args:
        root: an empty folder.
        patch: undoes it at the end.
    """

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.cwd = root / "cwd"
        for name, variable in (("cwd", None), ("home", "HOME"), ("cache", "XDG_CACHE_HOME"), ("tmp", "TMPDIR")):
            (root / name).mkdir()
            if variable:
                patch.setenv(variable, str(root / name))
        patch.setenv("NETPARITY_DATA", str(root / "data"))
        patch.setenv("JAX_COMPILATION_CACHE_DIR", "as it is")  # which leaves JAX's own setting alone
        patch.setattr(tempfile, "tempdir", str(root / "tmp"))
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.chdir(self.cwd)

    def state(self) -> dict[str, str]:
        """Every file and folder, and what is in it."""
        files = {
            path: path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() for path in self.root.rglob("*")
        }
        return {str(path.relative_to(self.root)): str(content) for path, content in files.items()}

    @contextmanager
    def unchanged(self, *but: Path) -> Iterator[None]:
        """Fail if something is written elsewhere than in some folders, started or unpickled."""
        before = self.state()
        with HOOK.watching() as seen:
            yield
        kept = [os.path.realpath(path) for path in but]
        elsewhere = [one for one in seen if not any(one.partition(" ")[2].startswith(place) for place in kept)]
        assert not elsewhere, elsewhere
        own = [os.path.relpath(place, os.path.realpath(self.root)) for place in kept]
        after = self.state()
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert not [name for name in changed if not any(name.startswith(place) for place in own)], changed
