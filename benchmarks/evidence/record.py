"""The records of evidence: the types of their files, and the reading of a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import MinLen
from typing_extensions import TypedDict

from benchmarks import ROOT
from parity import documents
from parity.checks.verdict import Verdict
from parity.documents import Count, NotNegative, Positive, Whole

PASSES = {Verdict.SAME.value, Verdict.LESS_ACCURATE.value}
Line = Mapping[str, Any]
MAKE = "make it anew, as docs/evidence.md says"


class Bug(TypedDict):
    """A row of `parity bugs --json`."""

    id: str
    mechanism: str
    side: str
    hides: str
    evidence: list[str]
    rungs: dict[Literal["1", "2", "3", "4", "5", "6", "7", "8", "10"], Verdict]
    named: str | None
    cause: str | None


class Bugs(TypedDict):
    """The file that `parity bugs --json` writes."""

    summary: str
    bugs: list[Bug]


class Size(TypedDict):
    """A bug of one size; beside these keys there is one for each tolerance, whether allclose catches it."""

    size: NotNegative
    referee: bool
    share: NotNegative | None


class Family(TypedDict):
    """Bugs of falling size."""

    name: str
    sound: dict[str, Any]
    sizes: list[Size]


class Graded(TypedDict):
    """The file that `python -m benchmarks.evidence.graded` writes."""

    threshold: Positive
    tolerances: list[Positive]
    families: list[Family]


class Row(TypedDict):
    """The gap of a pair, in units of expected rounding, and its place."""

    where: str
    share: NotNegative


class Margins(TypedDict):
    """The file that `python -m benchmarks.evidence.margins` writes."""

    threshold: Positive
    correct: list[Row]
    planted: list[Row]


class MutantCounts(TypedDict, extra_items=Whole):  # type: ignore[call-arg] # mypy knows no extra_items
    """The number of a module's mutants; beside this key there is one for each status, the number that ended so."""

    mutants: Count


class Survivor(TypedDict):
    """A mutant that the tests do not notice."""

    function: str
    change: str


class Mutants(TypedDict):
    """The file that `python -m benchmarks.evidence.mutants` writes."""

    modules: Annotated[dict[str, MutantCounts], MinLen(1)]
    survivors: list[Survivor]


class Slow(TypedDict):
    """The file that `python -m benchmarks.evidence.slow` writes."""

    commit: str
    seconds: Whole
    modules: dict[str, dict[Literal["passed", "failed", "skipped"], Whole]]


class Explained(TypedDict):
    """What was said of the cause of a planted bug."""

    id: str
    mechanism: str
    side: str
    place: str
    cause: str
    proof: str
    right: bool
    wrong: bool
    lines: dict[str, str]


class Causes(TypedDict):
    """The file that `python -m benchmarks.evidence.causes` writes."""

    commit: str
    bugs: Annotated[list[Explained], MinLen(1)]


class Passed(TypedDict):
    """A draw that passed."""

    number: Whole
    verdict: Literal["same", "same, less accurate"]
    share: NotNegative


class Told(TypedDict):
    """A draw that was called different."""

    number: Whole
    verdict: Literal["different"]
    told: NotNegative


class Unruled(TypedDict):
    """A draw that was not ruled on."""

    number: Whole
    verdict: Literal["inconclusive", "error"]


class Bugged(TypedDict):
    """Further keys of a draw with a bug."""

    mutation: str
    why: NotRequired[str]


KINDS: Mapping[str, Any] = {
    "bugs": Bugs,
    "causes": Causes,
    "graded": Graded,
    "margins": Margins,
    "mutants": Mutants,
    "slow": Slow,
}
DRAWN: Mapping[str, Any] = {"correct": list[dict], "bug": list[Bugged]}
"""Kind of draws → type of its lines, besides the verdict."""


@dataclass(frozen=True)
class Gap:
    """A gap in units of the expected rounding, and its place in words."""

    share: float
    where: str


@dataclass(frozen=True)
class Evidence:
    """The contents of a folder of evidence.

    Args:
        folder: folder of the files.
        bugs: every planted bug and control.
        causes: what was said of the causes of bugs in brought pairs, and whether that is right.
        graded: bugs of falling size.
        margins: gaps of the study's twins and of the planted bugs.
        mutants: mutants of the checks, and which of them the tests notice.
        slow: the tests that take minutes each.
        correct, wrong: random networks, as drawn and with one bug.
    """

    folder: Path
    bugs: Mapping[str, Any]
    causes: Mapping[str, Any]
    graded: Mapping[str, Any]
    margins: Mapping[str, Any]
    mutants: Mapping[str, Any]
    slow: Mapping[str, Any]
    correct: Sequence[Line]
    wrong: Sequence[Line]

    @property
    def threshold(self) -> float:
        """The threshold of the referee that judged."""
        return self.margins["threshold"]

    @property
    def same(self) -> list[Gap]:
        """The largest gap of every correct pair."""
        study = [Gap(row["share"], row["where"]) for row in self.margins["correct"]]
        return study + [
            Gap(line["share"], f"draw {line['number']}") for line in self.correct if line["verdict"] in PASSES
        ]

    @property
    def rounding(self) -> list[Gap]:
        """The largest gap of every correct draw between arrays that are nothing but rounding."""
        return [Gap(line["rounding"], f"draw {line['number']}") for line in self.correct if line.get("rounding")]

    @property
    def told(self) -> list[Gap]:
        """The gap that gives away each pair with a bug, where a gap does."""
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
    """Read all files of a folder of evidence.

    Raises:
        UsageError: a file cannot be read, or is no record of its kind.
    """
    parts = {name: documents.read(folder / f"{name}.json", kind, MAKE) for name, kind in KINDS.items()}
    graded = parts["graded"]
    ruled = ["referee", *(f"{tolerance:g}" for tolerance in graded["tolerances"])]
    for row in (row for family in graded["families"] for row in (family["sound"], *family["sizes"])):
        documents.require([row.get(how) for how in ruled], list[bool], f"{folder / 'graded.json'}, what rules", MAKE)
    correct, wrong = (lines(folder / f"{kind}.jsonl", kind) for kind in DRAWN)
    return Evidence(folder, **parts, correct=correct, wrong=wrong)


def lines(path: Path, kind: str) -> list[Line]:
    """Read the draws of a kind, "correct" or "bug", in the order of their numbers.

    Raises:
        UsageError: the file cannot be read, or a line is not that of a draw.
    """
    draws = documents.read_lines(path, Passed | Told | Unruled, MAKE)
    documents.require(draws, DRAWN[kind], str(path), MAKE)
    return sorted(draws, key=lambda line: line["number"])
