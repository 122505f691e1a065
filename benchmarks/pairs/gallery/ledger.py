"""The differences that public projects have between their two sides, which ledger.toml holds, and how each is shown."""

import contextlib
import io
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One difference, as its maintainers would want to read it.

    Args:
        package: Package and version.
        title: What differs, in a few words.
        place: File and line in the package, and what stands there.
        text: What follows from it.
        code: The lines that show it.
    """

    package: str
    title: str
    place: str
    text: str
    code: str


LEDGER = {
    name: Entry(**fields) for name, fields in tomllib.loads(Path(__file__).with_suffix(".toml").read_text()).items()
}
"""Name → entry, in the order of the page."""


def shown(entry: Entry) -> str:
    """What the lines of an entry print when they are run."""
    from benchmarks.pairs.gallery.makers.shims import prepare

    prepare()
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "ledger"}
    with contextlib.redirect_stdout(printed):
        exec(entry.code, names)  # the lines are ours
    return printed.getvalue().strip()
