"""The record of random networks: the lines of its two files, and the reading of a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from parity import documents
from parity.checks.verdict import Verdict
from parity.documents import NotNegative, Whole

PASSES = {Verdict.SAME.value, Verdict.LESS_ACCURATE.value}
Line = Mapping[str, Any]
MAKE = "make it anew, as docs/evidence.md says"
FILES = ("correct.jsonl", "bug.jsonl")


class Passed(TypedDict):
    """A draw that passed."""

    number: Whole
    verdict: Literal["same", "same, less accurate"]
    share: NotNegative


class CalledDifferent(TypedDict):
    """A draw that was called different."""

    number: Whole
    verdict: Literal["different"]
    told: NotNegative


class Unruled(TypedDict):
    """A draw that was not ruled on."""

    number: Whole
    verdict: Literal["inconclusive", "error"]


class Drawn(TypedDict):
    """Further keys of a draw."""

    kinds: NotRequired[list[str]]


class Bugged(Drawn):
    """Further keys of a draw with a bug."""

    mutation: str
    why: NotRequired[str]
    causes: NotRequired[list[str]]


@dataclass(frozen=True)
class Draws:
    """The random networks of one folder.

    Args:
        folder: folder of the two files.
        correct, wrong: the networks as drawn, and with one bug, in the order of their numbers.
    """

    folder: Path
    correct: Sequence[Line]
    wrong: Sequence[Line]

    @property
    def date(self) -> str:
        """The day of the folder, "2026-11-28"."""
        return self.folder.name.removesuffix("-evidence")


def read_draws(folder: Path) -> Draws:
    """Read the draws of a folder.

    Raises:
        UsageError: a file cannot be read, or a line is not that of a draw.
    """
    return Draws(folder, *(_lines(folder / name, kind) for name, kind in zip(FILES, (Drawn, Bugged), strict=True)))


def _lines(path: Path, kind: Any) -> list[Line]:
    draws = documents.read_lines(path, Passed | CalledDifferent | Unruled, MAKE)
    documents.require(draws, list[kind], str(path), MAKE)
    return sorted(draws, key=lambda line: line["number"])
