"""The record of the versions that were tried."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

from benchmarks.versions.environment import ENDS
from parity import documents
from parity.documents import Whole
from parity.files import write_atomically
from parity.report.environment import commit, hardware

REMEDY = "make it anew with python -m benchmarks.versions --json FILE"


class Counts(TypedDict):
    """How many tests of a module ended how."""

    passed: Whole
    failed: Whole
    skipped: Whole


class Result(TypedDict):
    """What came of one environment: its Python, the end of the ranges, pytest's words and exit code, and its counts.

    The exit code is −1 where the environment could not be made; `output` is then what pip said.
    """

    python: str
    end: str
    tests: list[str]
    versions: dict[str, str]
    exit_code: int
    commit: NotRequired[str]
    seconds: NotRequired[Whole]
    modules: NotRequired[dict[str, Counts]]
    output: NotRequired[str]


class Record(TypedDict):
    """The file."""

    command: str
    hardware: dict[str, str | int | None]
    results: list[Result]


def read(path: Path) -> Record:
    """The record of a file.

    Raises:
        UsageError: It is none.
    """
    return documents.read(path, Record, REMEDY)


def add(path: Path, result: Result) -> None:
    """Add a result to a record, in the place of an older one of the same Python and end.

    Raises:
        UsageError: The file is there and no such record, or it cannot be written.
    """
    known = read(path)["results"] if path.is_file() else []
    others = [old for old in known if (old["python"], old["end"]) != (result["python"], result["end"])]
    new: Result = {**result, "commit": commit()}
    results = sorted([*others, new], key=lambda each: (_number(each), ENDS.index(each["end"])))
    whole = {"command": "python -m benchmarks.versions", "hardware": hardware(), "results": results}
    write_atomically(path, json.dumps(whole, indent=1) + "\n")


def _number(result: Result) -> tuple[int, ...]:
    return tuple(map(int, result["python"].split(".")))


def green(result: Result) -> bool:
    """Whether the tests ran and none of them failed."""
    return result["exit_code"] == 0


def totals(result: Result) -> Mapping[str, int]:
    """How many tests passed, failed and were skipped."""
    modules = result.get("modules", {}).values()
    return {
        "passed": sum(counts["passed"] for counts in modules),
        "failed": sum(counts["failed"] for counts in modules),
        "skipped": sum(counts["skipped"] for counts in modules),
    }


def line(result: Result) -> str:
    """A result for a person at a terminal."""
    start = f"Python {result['python']}, {result['end']}:"
    if not result["versions"]:
        return f"{start} could not be installed\n{result.get('output', '')}"
    words = ", ".join(f"{number} {kind}" for kind, number in totals(result).items())
    output = "" if green(result) else f"\n{result.get('output', '')}"
    return f"{start} {' '.join(f'{name} {version}' for name, version in result['versions'].items())}; {words}{output}"
