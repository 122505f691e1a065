"""Patches as unified diffs."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path


def difference_of(old: Mapping[Path, str], new: Mapping[Path, str]) -> str:
    """A unified diff, as `patch -p1` and `git apply` take it, with paths from the folder in which the command runs.

    Args:
        old, new: file → its text before and after.
    """
    return "".join(_file_diff(path, old[path], text) for path, text in new.items() if text != old[path])


def _file_diff(path: Path, old: str, new: str) -> str:
    name = os.path.relpath(path) if not os.path.relpath(path).startswith("..") else str(path).lstrip("/")
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
