"""Records of runs: one JSON file a run, in a dated folder; what a record must hold, and how it is read."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

SCHEMA = 1
RECORDS = Path(__file__).parent / "records"
PEERS = ("keras", "lightning")
VARIABLES = ("XLA_FLAGS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES", "TORCH_LOGS")
Needed = Mapping[str, Any]
Note = Callable[[str], None]
NUMBER = (int, float)
NEEDED: Needed = {
    "schema": int,
    "command": str,
    "request": dict,
    "environment": {
        "commit": str,
        "date": str,
        "versions": dict,
        "hardware": {"cpu": str, "cores": int, "system": str, "memory_bytes": int},
        "host": str,
        "device": str,
        "variables": dict,
    },
    "busy": bool,
}
"""What every record has: keys, each with its type or with the keys beneath it."""
RUN: Needed = {
    "request": {"precision": str, "threads": int, "rounds": int, "blocks": int, "seconds": NUMBER},
    "ceilings": {"best": {"gemm": NUMBER, "conv": NUMBER, "copy": NUMBER}},
}
"""What a run has beside it."""
PART: Needed = {"proofs": dict, "turns": list}
PROOF: Needed = {"verdict": str}
WORKLOAD: Needed = {"title": str, "absent": dict}
TURN: Needed = {"contestant": str, "round": int}
SECONDS, PHASES = "a list of seconds", "seconds by name"
"""Kinds beside types."""
LONGEST = 1e9
"""Seconds that nobody has waited."""
STEADY: Needed = {"seconds_per_step": SECONDS}
TIMED: Needed = {"cold": bool, "phases": PHASES, "training": STEADY, "inference": STEADY}
"""Of a turn of a run that did not fail."""
PARTS = {"run": "workloads", "growth": "series", "result": "tasks"}
"""Kind of record → where its parts are, each with proofs and turns. A record that does not say its kind is a run."""


def environment(device: str) -> dict[str, Any]:
    """Commit, versions, hardware, devices, time, and the variables that decide how fast something is."""
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
    found = {}
    for package in PEERS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def written(request: Any) -> dict[str, Any]:
    """A dataclass as JSON has it."""
    if not is_dataclass(request) or isinstance(request, type):
        raise TypeError(f"got {request!r}; expected an instance of a dataclass")
    return json.loads(json.dumps(asdict(request)))


def about(kind: str, command: str, request: Any) -> dict[str, Any]:
    """What a record of a kind says first. Made before anything is measured: a checkout may move on meanwhile."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "command": command,
        "request": written(request),
        "environment": environment(request.device),
    }


def require_new(out: Path) -> None:
    """Raise UsageError if the file is there."""
    if out.exists():
        raise UsageError(f"{out} exists; give another --out, records are not overwritten")


def make(out: str | None, suffix: str, measure: Callable[[Note], dict[str, Any]], shown: Callable[[Any], str]) -> int:
    """What a command does that makes a record: measure, print the tables, write; 0.

    Args:
        out: its file, which must not be there; None is a dated one.
        suffix: of the dated one's name.
        measure: makes the record, and tells what it does.
        shown: its tables.

    Raises:
        UsageError: the file is there.
    """
    path = Path(out) if out else dated(suffix)
    require_new(path)
    found = measure(lambda note: print(note, file=sys.stderr, flush=True))
    print(shown(found))
    print(f"record: {save(found, path)}", file=sys.stderr)
    return 0


def save(record: Mapping[str, Any], out: Path) -> Path:
    """Write a record; never over another.

    Raises:
        UsageError: the file exists.
    """
    require_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(require(record, str(out), record.get("kind", "run")), indent=1) + "\n")
    return out


def dated(suffix: str = "") -> Path:
    """Where a record goes that is told no other place."""
    now = datetime.now(UTC)
    return Path("build") / "benchmarks" / now.strftime("%Y-%m-%d") / f"{now:%H%M%S}{suffix}.json"


def load(path: Path, kind: str = "run") -> dict[str, Any]:
    """A record of a kind, see `PARTS`.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    return require(read(path), str(path), kind)


def read(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a record: {error}") from error


def require(found: Any, name: str, kind: str = "run") -> dict[str, Any]:
    """Raise UsageError unless it is a record of this schema and kind, whole, that times only what was proven."""
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise UsageError(
            f"{name} is no record of schema {SCHEMA} (got {got}); make it anew with python -m benchmarks run"
        )
    if (got := found.get("kind", "run")) != kind:
        raise UsageError(f"{name} is a record of kind {got}; expected {kind}, which python -m benchmarks {kind} makes")
    if (missing := next(_missing(found, kind), None)) is not None:
        raise UsageError(f"{name} has no {missing}; make it anew with python -m benchmarks {kind}")
    for workload, part in found[PARTS[kind]].items():
        for turn in part["turns"]:
            if not part["proofs"].get(turn["contestant"], {}).get("verdict", "").startswith("same"):
                raise UsageError(f"{name} times {turn['contestant']} on {workload}, which was not proven the same")
    return dict(found)


def _missing(record: dict[str, Any], kind: str) -> Iterator[str]:
    """Dotted keys that a record should have and has not, or not of the right type."""
    is_run = kind == "run"
    yield from _beneath(record, {**NEEDED, PARTS[kind]: dict}, "")
    yield from _beneath(record, RUN, "") if is_run else ()
    for name, part in _dict(record.get(PARTS[kind])).items():
        place = f"{PARTS[kind]}.{name}"
        yield from _beneath(part, {**PART, **WORKLOAD} if is_run else PART, place)
        for contestant, proof in part["proofs"].items():
            yield from _beneath(proof, PROOF, f"{place}.proofs.{contestant}")
        for number, turn in enumerate(part["turns"]):
            yield from _beneath(turn, TURN, f"{place}.turns[{number}]")
            yield from _beneath(turn, TIMED, f"{place}.turns[{number}]") if is_run and "error" not in turn else ()


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _beneath(found: Any, needed: Needed, where: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield where
        return
    for key, kind in needed.items():
        place = f"{where}.{key}" if where else key
        if isinstance(kind, Mapping):
            yield from _beneath(found.get(key), kind, place)
        elif not _is(found.get(key), kind):
            yield place


def _waited(found: Any) -> bool:
    return _is(found, NUMBER) and 0 <= found < LONGEST


def _is(found: Any, kind: Any) -> bool:
    """Whether a value is of a type, or of one of the other kinds; True and False are no numbers."""
    if kind == SECONDS:
        return isinstance(found, list) and found != [] and all(map(_waited, found))
    if kind == PHASES:
        return isinstance(found, dict) and all(map(_waited, found.values()))
    return isinstance(found, kind) and (kind is bool or not isinstance(found, bool))
