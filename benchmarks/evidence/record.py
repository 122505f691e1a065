"""The records of evidence: the types of their files, and the reading of a folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import MinLen
from typing_extensions import TypedDict

from benchmarks import ROOT
from benchmarks.evidence.drawn_record import FILES, MAKE, PASSES, Draws, read_draws
from parity import documents
from parity.checks.verdict import Verdict
from parity.documents import Count, NotNegative, Positive, Whole
from parity.errors import UsageError


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


UNTRIED = "not tried yet"
"""The error of a bug that a record of repairs has no answer on, as it was not finished; it counts as not repaired."""


class Mended(TypedDict):
    """What was done for one cause of a planted bug."""

    cause: str
    mend: str
    lines: dict[str, str]
    tried: Whole
    kept: str


class Repaired(TypedDict):
    """What came of the repair of a planted bug; an error instead of all else where the pair could not be checked."""

    id: str
    mechanism: str
    side: str
    repaired: bool
    error: NotRequired[str]
    before: NotRequired[Verdict]
    after: NotRequired[Verdict]
    proven: NotRequired[bool]
    rounds: NotRequired[list[Mended]]
    diff: NotRequired[str]
    left: NotRequired[str]


class Repairs(TypedDict):
    """The file that `python -m benchmarks.evidence.repairs` writes."""

    commit: str
    bugs: Annotated[list[Repaired], MinLen(1)]


KINDS: Mapping[str, Any] = {
    "bugs": Bugs,
    "causes": Causes,
    "drawn_repairs": Repairs,
    "graded": Graded,
    "margins": Margins,
    "mutants": Mutants,
    "repairs": Repairs,
    "slow": Slow,
}


@dataclass(frozen=True)
class Gap:
    """A gap in units of the expected rounding, and its place in words."""

    share: float
    where: str


@dataclass(frozen=True)
class Evidence:
    """The record of evidence, each part of which lies in the newest folder that has it.

    Args:
        folders: name of a part, such as "bugs" → its folder.
        bugs: every planted bug and control.
        causes: what was said of the causes of bugs in brought pairs, and whether that is right.
        repairs: what came of the repair of bugs in brought pairs.
        drawn_repairs: the same of drawn bugs, from the first number on.
        graded: bugs of falling size.
        margins: gaps of the study's twins and of the planted bugs.
        mutants: mutants of the checks, and which of them the tests notice.
        slow: the tests that take minutes each.
        draws: random networks, as drawn and with one bug, of each folder that has some, the newest first.
    """

    folders: Mapping[str, Path]
    bugs: Mapping[str, Any]
    causes: Mapping[str, Any]
    repairs: Mapping[str, Any]
    drawn_repairs: Mapping[str, Any]
    graded: Mapping[str, Any]
    margins: Mapping[str, Any]
    mutants: Mapping[str, Any]
    slow: Mapping[str, Any]
    draws: Sequence[Draws]

    @property
    def threshold(self) -> float:
        """The threshold of the referee that judged."""
        return self.margins["threshold"]

    @property
    def same(self) -> list[Gap]:
        """The largest gap of every correct pair."""
        study = [Gap(row["share"], row["where"]) for row in self.margins["correct"]]
        return study + [
            Gap(line["share"], where) for where, line in self._lines("correct") if line["verdict"] in PASSES
        ]

    @property
    def rounding(self) -> list[Gap]:
        """The largest gap of every correct draw between arrays that are nothing but rounding."""
        return [Gap(line["rounding"], where) for where, line in self._lines("correct") if line.get("rounding")]

    @property
    def caught(self) -> list[Gap]:
        """The gap that gives away each pair with a bug, where a gap does."""
        planted = [Gap(row["share"], row["where"]) for row in self.margins["planted"]]
        return planted + [
            Gap(line["told"], f"{where}: {line['mutation']}")
            for where, line in self._lines("wrong")
            if line["verdict"] == Verdict.DIFFERENT and line["told"]
        ]

    def _lines(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The draws of all folders, each with its place in words."""
        for draws in self.draws:
            for line in getattr(draws, kind):
                yield f"draw {line['number']} of {draws.date}", line


def every() -> list[Path]:
    """All folders of evidence, the newest last."""
    return sorted((ROOT / "benchmarks" / "records").glob("*-evidence"))


def newest(name: str, folders: Sequence[Path] | None = None) -> Path:
    """The newest folder that has a file of this name.

    Args:
        name: name of the file.
        folders: folders of evidence, the newest last; None for all that there are.

    Raises:
        UsageError: none has it.
    """
    having = [folder for folder in (every() if folders is None else folders) if (folder / name).exists()]
    if not having:
        raise UsageError(f"no folder of evidence has {name}; {MAKE}")
    return having[-1]


def read(folders: Sequence[Path] | None = None) -> Evidence:
    """Read each part of the record from the newest folder that has it, and the draws of all folders.

    Args:
        folders: folders of evidence, the newest last; None for all that there are.

    Raises:
        UsageError: a file is not there, cannot be read, or is no record of its kind.
    """
    folders = every() if folders is None else folders
    places = {name: newest(f"{name}.json", folders) for name in KINDS}
    parts = {name: documents.read(places[name] / f"{name}.json", kind, MAKE) for name, kind in KINDS.items()}
    graded = parts["graded"]
    ruled = ["referee", *(f"{tolerance:g}" for tolerance in graded["tolerances"])]
    for row in (row for family in graded["families"] for row in (family["sound"], *family["sizes"])):
        where = f"{places['graded'] / 'graded.json'}, what rules"
        documents.require([row.get(how) for how in ruled], list[bool], where, MAKE)
    last = newest(FILES[0], folders)
    drawn = [folder for folder in reversed(folders) if folder == last or (folder / FILES[0]).exists()]
    return Evidence(places, **parts, draws=[read_draws(folder) for folder in drawn])
