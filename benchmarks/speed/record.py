"""Records of runs, one JSON file for each in a dated folder: their making, their reading, and the check of both."""

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.contestants import entry
from benchmarks.speed import timed_code
from benchmarks.speed.declared import KINDS
from parity import documents
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

SCHEMA = 1
PEERS = ("keras", "lightning", "torchax")
VARIABLES = ("XLA_FLAGS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES", "TORCH_LOGS")
Note = Callable[[str], None]


def environment(device: str) -> dict[str, Any]:
    """The circumstances of a measurement: commit, versions, hardware, device, time, and variables that decide speed."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {**versions(), **_peers()},
        "hardware": {**hardware(), "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")},
        "host": platform.node(),
        "device": device,
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _peers() -> dict[str, str]:
    installed = {}
    for package in PEERS:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def written(request: Any) -> dict[str, Any]:
    """An instance of a dataclass as values that JSON holds, with lists in the place of tuples."""
    if not is_dataclass(request) or isinstance(request, type):
        raise TypeError(f"got {request!r}; expected an instance of a dataclass")
    return json.loads(json.dumps(asdict(request)))


def about(kind: str, command: str, request: Any) -> dict[str, Any]:
    """The first entries of a record, made before anything is measured, for a checkout may move on meanwhile."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "command": command,
        "request": written(request),
        "environment": environment(request.device),
        "code": timed_code.present(),
    }


def require_new(out: Path) -> None:
    """Raise UsageError if the file is there."""
    if out.exists():
        raise UsageError(f"{out} exists; give another --out, records are not overwritten")


def make(out: str | None, suffix: str, measure: Callable[[Note], dict[str, Any]], tables: Callable[[Any], str]) -> int:
    """Measure, print the tables and write the record; return 0.

    Args:
        out: file of the record, which must not exist; None takes a dated one.
        suffix: suffix of the dated file's name.
        measure: function that makes the record; it is given a function to call with progress.
        tables: function that gives the record's tables as text.

    Raises:
        UsageError: the file exists.
    """
    path = Path(out) if out else dated(suffix)
    require_new(path)
    record = measure(lambda note: print(note, file=sys.stderr, flush=True))
    print(tables(record))
    print(f"record: {save(record, path)}", file=sys.stderr)
    return 0


def save(record: Mapping[str, Any], out: Path) -> Path:
    """Write a record to a new file; return its path.

    Raises:
        UsageError: the file exists.
    """
    require_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(require(record, str(out), record.get("kind", "run")), indent=1) + "\n")
    return out


def dated(suffix: str = "") -> Path:
    """The default path of a record, which is made of the present time."""
    now = datetime.now(UTC)
    return Path("build") / "benchmarks" / now.strftime("%Y-%m-%d") / f"{now:%H%M%S}{suffix}.json"


def load(path: Path, kind: str = "run") -> dict[str, Any]:
    """Read a record of a kind, see `benchmarks.speed.declared`; one that does not say its kind is a run.

    Raises:
        UsageError: it cannot be read, or is no record of that kind.
    """
    remedy = f"make it anew with python -m benchmarks {kind}"
    return require(documents.read(path, dict, remedy), str(path), kind)


def require(record: Mapping[str, Any], name: str, kind: str = "run") -> dict[str, Any]:
    """Raise UsageError unless it is a record of this schema and kind, whole, that times only what was proven."""
    remedy = f"make it anew with python -m benchmarks {kind}"
    if (schema := record.get("schema")) != SCHEMA:
        raise UsageError(f"{name} is no record of schema {SCHEMA} (got {schema}); {remedy}")
    if (got := record.get("kind", "run")) != kind:
        raise UsageError(f"{name} is a record of kind {got}; expected {kind}, which python -m benchmarks {kind} makes")
    declared, parts = KINDS[kind]
    documents.require(record, declared, name, remedy)
    for part, held in record[parts].items():
        for turn in held["turns"]:
            _require_proven(turn, f"{name} times {turn['contestant']} on {part}", held)
    return dict(record)


def _require_proven(turn: Mapping[str, Any], what: str, part: Mapping[str, Any]) -> None:
    """Raise UsageError unless a turn is of a known contestant that was proven, at all sizes of its part."""
    proof = part["proofs"].get(entry(turn["contestant"]).name)
    if proof is None or not Verdict(proof["verdict"]).passes:
        raise UsageError(f"{what}, which was not proven the same")
    if lacking := sorted(part.get("sizes", {}).keys() - turn.get("points", part.get("sizes", {})).keys()):
        raise UsageError(f"{what}, but not at {', '.join(lacking)}; make the record anew")
