"""Bugs that are planted in the text of a pair's file, whose line is therefore known."""

import importlib.util
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

WRITTEN = Path(__file__).parent / "written"
SIDES = ("flax", "torch")


@dataclass(frozen=True)
class Planted:
    """One bug in the text of a pair.

    Args:
        id: its name.
        what: the fault, in one line.
        pair: the file in `written` that holds the pair, without its ending.
        side: the side with the bug; "both" where each side's text is changed, and then no line is held against it.
        old, new: what is written, and what is written instead, for each side that is changed.
        truth: regular expressions that a cause must all match to be right.
        line: what is written in the line that is the bug's; `old` if it is "".
        twin: what is written in the other side's line that does the same; "" where there is none.
        flat: whether the bug is in a function that calls no submodule between what is compared.
    """

    id: str
    what: str
    pair: str
    side: Literal["flax", "torch", "both"]
    old: tuple[str, ...]
    new: tuple[str, ...]
    truth: tuple[str, ...]
    line: str = ""
    twin: str = ""
    flat: bool = True

    @property
    def sides(self) -> Sequence[str]:
        """The sides whose text is changed."""
        return SIDES if self.side == "both" else (self.side,)


def planted() -> list[Planted]:
    """All bugs that are planted in texts, pair by pair."""
    return [bug for path in sorted(WRITTEN.glob("*.toml")) for bug in _read(path)]


def _read(path: Path) -> Iterator[Planted]:
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["bug"]:
        old, new, truth = (_tuple(entry.pop(key)) for key in ("old", "new", "truth"))
        yield Planted(pair=path.stem, old=old, new=new, truth=truth, **entry)


def _tuple(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True)
class PlantedText:
    """A pair's file with a bug in it.

    Args:
        text: the file.
        lines: side → the places, "file.py:12", of which one is to be named; empty where none is held against it.
    """

    text: str
    lines: Mapping[str, Sequence[str]]


def planted_text(bug: Planted) -> PlantedText:
    """The text of the pair's file with the bug in it.

    Raises:
        ValueError: the text of the bug is not found once and only once in its side.
    """
    text = (WRITTEN / f"{bug.pair}.py").read_text(encoding="utf-8")
    lines: dict[str, Sequence[str]] = {}
    for side, old, new in zip(bug.sides, bug.old, bug.new, strict=True):
        start, stop = _section(text, side)
        if text.count(old, start, stop) != 1:
            raise ValueError(f"{bug.id}: {old!r} is found {text.count(old, start, stop)} times in the {side} side")
        at = text.index(old, start, stop)
        text = text[:at] + new + text[at + len(old) :]
        if bug.side != "both":
            first, last = at, at + len(new.rstrip())
            if bug.line:
                first = last = text.index(bug.line, *_section(text, side))
            lines[side] = _places(bug, text, first, last)
    other = "torch" if bug.side == "flax" else "flax"
    if bug.twin and bug.side != "both":
        at = text.index(bug.twin, *_section(text, other))
        lines[other] = _places(bug, text, at, at + len(bug.twin.rstrip()))
    return PlantedText(text, lines)


def pair_of(bug: Planted, text: str) -> Sequence[Any]:
    """What the `pair()` of a file with this text gives: both networks, the inputs, and the options if there are any."""
    return _imported(bug, text).pair()


def _section(text: str, side: str) -> tuple[int, int]:
    """Where a side's part of a file begins and ends."""
    torch = text.index("\nclass Torch")
    return (0, torch) if side == "flax" else (torch, text.index("\ndef pair("))


def _places(bug: Planted, text: str, start: int, stop: int) -> list[str]:
    first, last = (text.count("\n", 0, at) + 1 for at in (start, stop))
    return [f"{bug.pair}.py:{line}" for line in range(first, last + 1)]


def _imported(bug: Planted, text: str) -> Any:
    folder = Path(tempfile.mkdtemp(prefix="netparity-planted-"))
    path = folder / f"{bug.pair}.py"
    path.write_text(text, encoding="utf-8")
    name = f"planted_{bug.id.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
