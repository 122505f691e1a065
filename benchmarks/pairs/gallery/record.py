"""The record of the gallery as declared types: what was found of each pair, and what the ledger's lines printed."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from parity.checks.verdict import Verdict
from parity.documents import NotNegative, Share, Whole

REMEDY = "measure it anew with python -m benchmarks.pairs.gallery --out FOLDER"


class First(TypedDict):
    """The first difference that the tool names."""

    rung: str
    mode: str
    flax: str
    torch: str
    text: str
    cause: str


class Answer(TypedDict):
    """What the tool said of a pair; where no report came, `error` says why, and most is missing."""

    verdict: Verdict | Literal["traceback", "timeout", "crash"]
    error: NotRequired[str]
    rungs: NotRequired[dict[str, Verdict]]
    mapped: NotRequired[Share]
    arrays: NotRequired[Whole]
    proven: NotRequired[Whole]
    idle: NotRequired[list[str]]
    first: NotRequired[First | None]
    notes: NotRequired[list[str]]
    cpu_seconds: NotRequired[NotNegative]
    peak_gib: NotRequired[NotNegative]
    parameters: NotRequired[Whole]


class PairResult(TypedDict):
    """One pair: what is known of it, by whom, and what the tool said."""

    package: str
    truth: Literal["same", "different"]
    because: list[str]
    accept: list[str]
    established: dict[str, dict[str, dict[str, float | int | str]]]
    told: Answer


class GalleryRecord(TypedDict):
    """The whole record."""

    about: str
    versions: dict[str, str]
    hardware: dict[str, str | int | None]
    commit: str
    pairs: dict[str, PairResult]
    ledger: dict[str, str]


def right(result: PairResult) -> bool:
    """Whether the tool said what is true."""
    return result["told"]["verdict"] == result["truth"]
