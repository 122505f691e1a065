"""What tests read in docstrings: the modules of the packages, and the entries of the sections."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGES = ("parity", "benchmarks", "jaxnets", "torchnets")

SECTION = re.compile(r"(?P<name>Args|Attributes|Returns|Yields|Raises):$")
ENTRY = re.compile(r" {4}(?P<names>\*{0,2}[A-Za-z_][\w.]*(?:, \*{0,2}[A-Za-z_][\w.]*)*): +(?P<text>\S.*)$")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Entry(NamedTuple):
    """An entry of a docstring: its section, the names before the colon, and the first line behind it."""

    section: str
    names: str
    text: str


def entries(docstring: str) -> Iterator[Entry]:
    """All entries of a docstring's sections."""
    section = ""
    for line in docstring.splitlines():
        if line and not line.startswith(" "):
            heading = SECTION.match(line)
            section = "" if heading is None else heading["name"]
        elif section and (entry := ENTRY.match(line)):
            yield Entry(section, entry["names"], entry["text"])


def documented(tree: ast.Module) -> Iterator[tuple[Documented, str]]:
    """Everything in a module that has a docstring, with it."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (docstring := ast.get_docstring(node)):
            yield node, docstring


def sources() -> list[Path]:
    """All modules of the packages."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
