"""Records of runs: one JSON file a run, in a dated folder; what a record must hold, and how it is read."""

import json
import os
import platform
from collections.abc import Mapping
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
NEEDED: Mapping[str, type | tuple[type, ...]] = {
    "schema": int,
    "command": str,
    "request": dict,
    "environment": dict,
    "busy": bool,
}
"""What every record has, and of which type."""
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


def save(record: Mapping[str, Any], out: Path) -> Path:
    """Write a record; never over another.

    Raises:
        UsageError: the file exists.
    """
    if out.exists():
        raise UsageError(f"{out} exists; give another --out, records are not overwritten")
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
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a record: {error}") from error
    return require(found, str(path), kind)


def require(found: Any, name: str, kind: str = "run") -> dict[str, Any]:
    """Raise UsageError unless it is a record of this schema and kind, without a number that was not proven."""
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise UsageError(
            f"{name} is no record of schema {SCHEMA} (got {got}); make it anew with python -m benchmarks run"
        )
    if (got := found.get("kind", "run")) != kind:
        raise UsageError(f"{name} is a record of kind {got}; expected {kind}, which python -m benchmarks {kind} makes")
    needed = {**NEEDED, PARTS[kind]: dict, **({"ceilings": dict} if kind == "run" else {})}
    for key, type_ in needed.items():
        if not isinstance(found.get(key), type_):
            raise UsageError(f"{name} has no {key}; make it anew with python -m benchmarks {kind}")
    for workload, part in found[PARTS[kind]].items():
        for turn in part["turns"]:
            if not part["proofs"].get(turn["contestant"], {}).get("verdict", "").startswith("same"):
                raise UsageError(f"{name} times {turn['contestant']} on {workload}, which was not proven the same")
    return dict(found)
