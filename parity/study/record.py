"""The files of a reproduction: one JSON record, the figures, and the table of the claims."""

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
    """A claim of the study with its ruling."""

    claim: str
    measured: str
    ruling: Ruling
    why: str


class RecordedFinding(TypedDict):
    """A finding of rung 9."""

    name: str
    verdict: Verdict
    reason: str


class Outcomes(TypedDict):
    """The findings of rung 9 on one network."""

    findings: list[RecordedFinding]


class Hardware(TypedDict):
    """The machine that trained: its processor, and the number of its cores."""

    cpu: str
    cores: int


class Versions(TypedDict):
    """The frameworks' versions."""

    jax: str
    torch: str


class Experiment(TypedDict):
    """One experiment of the study: how it was run, its claims, outcomes and results."""

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
    """The record of a reproduction, as it is read back."""

    format: Literal["netparity-study/1"]
    scale: str
    experiments: dict[str, Experiment]


def read(folder: Path) -> dict[str, Any]:
    """Read the record of a reproduction's folder; an empty dictionary where there is none.

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
    """Put an experiment into the folder's record, draw its figures, and write the table anew.

    Args:
        folder: the reproduction's folder.
        name: name of the experiment; an earlier entry of that name is replaced.
        part: its results.
        scale: name of the scale, "full" or "quick".
        command: the command line that ran it.
        seconds: duration of the experiment.
        commits: commits of the project at which its runs were trained.

    Returns:
        The whole record.

    Raises:
        UsageError: something cannot be written.
    """
    earlier = read(folder)
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
    experiments = {**earlier.get("experiments", {}), name: entry}
    record = {"format": FORMAT, "scale": scale, "experiments": experiments}
    write_atomically(folder / RECORD, json.dumps(record, indent=None, ensure_ascii=False) + "\n")
    write_atomically(folder / TABLE, table(record))
    return record


def table(record: Mapping[str, Any]) -> str:
    """A record as two Markdown tables: the claims, then rung 9."""
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
