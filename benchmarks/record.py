"""Records of runs: one JSON file a run, in a dated folder; what a record must hold, and how it is read."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
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
NUMBER = (int, float)
NEEDED: Needed = {
    "schema": int,
    "command": str,
    "request": {"precision": str, "threads": int, "rounds": int, "blocks": int, "seconds": NUMBER},
    "environment": {
        "commit": str,
        "date": str,
        "versions": dict,
        "hardware": {"cpu": str, "cores": int, "system": str, "memory_bytes": int},
        "host": str,
        "device": str,
        "variables": dict,
    },
    "ceilings": {"best": {"gemm": NUMBER, "conv": NUMBER, "copy": NUMBER}},
    "busy": bool,
    "workloads": dict,
}
"""What every record has: keys, each with its type or with the keys beneath it."""
WORKLOAD: Needed = {"title": str, "absent": dict, "proofs": dict, "turns": list}
TURN: Needed = {"contestant": str, "round": int}
STEADY: Needed = {"seconds_per_step": list}
TIMED: Needed = {"cold": bool, "phases": dict, "training": STEADY, "inference": STEADY}
"""Of a turn that did not fail."""


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


def save(record: Mapping[str, Any], out: Path) -> Path:
    """Write a record; never over another.

    Raises:
        UsageError: the file exists.
    """
    if out.exists():
        raise UsageError(f"{out} exists; give another --out, records are not overwritten")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(require(record, str(out)), indent=1) + "\n")
    return out


def load(path: Path) -> dict[str, Any]:
    """A record.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    return require(read(path), str(path))


def read(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a record: {error}") from error


def require(found: Any, name: str) -> dict[str, Any]:
    """Raise UsageError unless it is a record of this schema, whole, that times only what was proven the same."""
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise UsageError(
            f"{name} is no record of schema {SCHEMA} (got {got}); make it anew with python -m benchmarks run"
        )
    if (missing := next(_missing(found), None)) is not None:
        raise UsageError(f"{name} has no {missing}; make it anew with python -m benchmarks run")
    for workload, part in found["workloads"].items():
        for turn in part["turns"]:
            if not part["proofs"].get(turn["contestant"], {}).get("verdict", "").startswith("same"):
                raise UsageError(f"{name} times {turn['contestant']} on {workload}, which was not proven the same")
    return dict(found)


def _missing(record: dict[str, Any]) -> Iterator[str]:
    """Dotted keys that a record should have and has not, or not of the right type."""
    yield from _beneath(record, NEEDED, "")
    for name, part in record["workloads"].items():
        yield from _beneath(part, WORKLOAD, f"workloads.{name}")
        for place, turn in enumerate(part["turns"]):
            where = f"workloads.{name}.turns[{place}]"
            yield from _beneath(turn, TURN, where)
            yield from () if "error" in turn else _beneath(turn, TIMED, where)


def _beneath(found: Any, needed: Needed, where: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield where
        return
    for key, kind in needed.items():
        place = f"{where}.{key}" if where else key
        if isinstance(kind, Mapping):
            yield from _beneath(found.get(key), kind, place)
        elif not isinstance(found.get(key), kind):
            yield place
