"""A folder of evidence, read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.checks.verdict import Verdict

ROOT = Path(__file__).parent.parent.parent
PASSES = {Verdict.SAME.value, Verdict.LESS_ACCURATE.value}
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Gap:
    """A gap in units of the rounding that is expected, and where it was."""

    share: float
    where: str


@dataclass(frozen=True)
class Evidence:
    """What is on record.

    Args:
        folder: of the files.
        bugs: every planted bug and control.
        graded: bugs of falling size.
        margins: gaps of the study's twins and of the planted bugs.
        mutants: of the checks, and which of them the tests notice.
        correct, wrong: random networks, as drawn and with one bug.
    """

    folder: Path
    bugs: Mapping[str, Any]
    graded: Mapping[str, Any]
    margins: Mapping[str, Any]
    mutants: Mapping[str, Any]
    correct: Sequence[Line]
    wrong: Sequence[Line]

    @property
    def threshold(self) -> float:
        """Of the referee that judged."""
        return self.margins["threshold"]

    @property
    def same(self) -> list[Gap]:
        """The largest gap of every correct pair."""
        study = [Gap(row["share"], row["where"]) for row in self.margins["correct"]]
        return study + [
            Gap(line["share"], f"draw {line['number']}") for line in self.correct if line["verdict"] in PASSES
        ]

    @property
    def told(self) -> list[Gap]:
        """The gap that every pair with a bug is told by, where it is told by one."""
        planted = [Gap(row["share"], row["where"]) for row in self.margins["planted"]]
        return planted + [
            Gap(line["told"], f"draw {line['number']}: {line['mutation']}")
            for line in self.wrong
            if line["verdict"] == Verdict.DIFFERENT and line["told"]
        ]


def newest(root: Path = ROOT) -> Path:
    """The newest folder of evidence."""
    return max((root / "benchmarks" / "records").glob("*-evidence"))


def read(folder: Path) -> Evidence:
    """All that the folder holds."""
    found = (_json(folder / f"{name}.json") for name in ("bugs", "graded", "margins", "mutants"))
    return Evidence(folder, *found, *(_lines(folder / f"{name}.jsonl") for name in ("correct", "bug")))


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _lines(path: Path) -> list[Line]:
    """Draws by number."""
    return sorted((json.loads(text) for text in path.read_text().splitlines()), key=lambda line: line["number"])
