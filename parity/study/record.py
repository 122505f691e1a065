"""What a reproduction leaves: one JSON file, the figures, and the table of the claims."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from parity import documents
from parity.checks.claims import Ruling
from parity.checks.verdict import Rung, Verdict
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions
from parity.study import figures
from parity.study.part import Part

FORMAT = "netparity-study/1"
RECORD, TABLE = "record.json", "table.md"


class Claim(TypedDict):
    """One of the study's, judged."""

    claim: str
    measured: str
    ruling: Ruling
    why: str


class Found(TypedDict):
    """A row of rung 9."""

    name: str
    verdict: Verdict
    reason: str


class Outcomes(TypedDict):
    """Rung 9 of something that was trained."""

    findings: list[Found]


class Hardware(TypedDict):
    """Of the machine."""

    cpu: str
    cores: int


class Versions(TypedDict):
    """Of the frameworks."""

    jax: str
    torch: str


class Experiment(TypedDict):
    """One of the study's."""

    command: str
    date: str
    commit: str
    runs_commits: list[str]
    versions: Versions
    hardware: Hardware
    claims: list[Claim]
    outcomes: list[Outcomes]
    results: dict[str, Any]


class StudyRecord(TypedDict):
    """Of a reproduction, as it is read back."""

    format: Literal["netparity-study/1"]
    scale: str
    experiments: dict[str, Experiment]


def read(folder: Path) -> dict[str, Any]:
    """The record of a folder; an empty dictionary where there is none.

    Raises:
        UsageError: there is one, but it cannot be read.
    """
    path = folder / RECORD
    if not path.is_file():
        return {}
    return documents.read(path, StudyRecord, "name another --out, or remove it")


def add(
    folder: Path, name: str, part: Part, *, scale: str, command: str, seconds: float, commits: Iterable[str]
) -> dict[str, Any]:
    """Put an experiment into the folder's record, draw its figures, write the table anew.

    Raises:
        UsageError: something cannot be written.
    """
    found = read(folder)
    entry = {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "runs_commits": sorted(commits),
        "versions": versions(),
        "hardware": hardware(),
        "seconds": round(seconds, 1),
        "figures": figures.write(name, part.results, folder),
        "claims": [asdict(claim) for claim in part.claims],
        "outcomes": [_outcome(rung) for rung in part.outcomes],
        "results": part.results,
    }
    experiments = {**found.get("experiments", {}), name: entry}
    record = {"format": FORMAT, "scale": scale, "experiments": experiments}
    write_atomically(folder / RECORD, json.dumps(record, indent=None, ensure_ascii=False) + "\n")
    write_atomically(folder / TABLE, table(record))
    return record


def table(record: Mapping[str, Any]) -> str:
    """Claim by claim, and rung 9, as Markdown."""
    lines = ["| the study's claim | measured | verdict | why |", "|---|---|---|---|"]
    for entry in record["experiments"].values():
        for claim in entry["claims"]:
            cells = (claim["claim"], claim["measured"], f"**{claim['ruling']}**", claim["why"])
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| rung 9, final test accuracy | verdict | |", "|---|---|---|"]
    for entry in record["experiments"].values():
        for outcome in entry["outcomes"]:
            lines += [f"| {f['name']} | {f['verdict']} | {f['reason']} |" for f in outcome["findings"]]
    return "\n".join(lines) + "\n"


def _outcome(rung: Rung) -> dict[str, Any]:
    keys = ("name", "verdict", "share", "values", "reason")
    rows = [{key: value for key, value in asdict(finding).items() if key in keys} for finding in rung.findings]
    return {"verdict": rung.verdict, "findings": [{**r, "share": min(r["share"], 1e300)} for r in rows]}
