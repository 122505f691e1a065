"""One run: prove, then time in rounds, in fresh processes that take turns."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contestants import ENTRIES, entry, workload
from benchmarks.speed import ceilings, record
from benchmarks.speed.gate import Gate
from benchmarks.speed.load import Load
from benchmarks.speed.process import ProcessError, launch, run, threads_of
from benchmarks.speed.record import Note
from benchmarks.speed.worker import Job
from parity.errors import UsageError

NOISY = 0.15
"""Cores that others may keep busy during a block before the run counts as one on a busy machine."""


@dataclass(frozen=True)
class Request:
    """What a run measures.

    Args:
        workloads, contestants: by name.
        precision, device: of all of them.
        rounds: how often every contestant has its turn, each time in a fresh process.
        blocks, seconds: timed in each turn, and the least length of a block.
        threads: cores that each process may use.
    """

    workloads: Sequence[str]
    contestants: Sequence[str]
    precision: str = "float32"
    device: str = "cpu"
    rounds: int = 5
    blocks: int = 5
    seconds: float = 0.1
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))


def measure(request: Request, note: Note) -> dict[str, Any]:
    """The record of a run; see `benchmarks.speed.record`."""
    load, about = Load(), record.about("run", command(request), request)
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        place = Path(folder)
        note("measuring the machine's limits")
        before = limits(request, place)
        found = {name: one(name, request, place, note) for name in request.workloads}
        after = limits(request, place)
    return {
        **about,
        "ceilings": {
            "before": before,
            "after": after,
            "best": ceilings.best(before | {f"{k} after": v for k, v in after.items()}),
        },
        "load_average": os.getloadavg(),
        "others": load.others(),
        "busy": any(busy(turn) for found_one in found.values() for turn in found_one["turns"]),
        "workloads": found,
    }


def command(request: Request) -> str:
    """What makes such a record again."""
    listed = [f"--workload {name}" for name in request.workloads] + [f"--contestant {n}" for n in request.contestants]
    settings = f"--precision {request.precision} --device {request.device} --rounds {request.rounds}"
    return " ".join(
        ["python -m benchmarks run", *listed, settings, f"--blocks {request.blocks} --seconds {request.seconds:g}"]
    )


def limits(request: Request, folder: Path) -> dict[str, Any]:
    """What each framework reaches on this machine."""
    found = {}
    for framework in sorted({entry(name).framework for name in request.contestants}):
        out = folder / f"ceilings-{framework}.json"
        numbers = map(str, (request.threads, request.blocks, request.seconds))
        command = ["benchmarks.speed.ceilings", framework, request.device, *numbers, str(out)]
        try:
            found[framework] = launch(command, out, threads_of(request.threads))
        except ProcessError as error:
            raise UsageError(f"the machine's limits could not be measured by {framework}: {error}") from error
    return found


def one(name: str, request: Request, folder: Path, note: Note) -> dict[str, Any]:
    """All contestants on one workload."""
    load = workload.load(name)
    absent = {c: reason for c in request.contestants if (reason := entry(c).absent(load, request.device))}
    present = [c for c in request.contestants if c not in absent]
    gate = Gate(load, request.device, folder, request.threads, note)
    proofs = {c: gate.prove(c) for c in present}
    passed = [c for c in present if proofs[c].verdict.passes]
    turns = _rounds(name, passed, request, folder, note)
    return {
        "title": load.title,
        "absent": absent,
        "proofs": {c: proof.to_json() for c, proof in proofs.items()},
        "turns": turns,
    }


def _rounds(name: str, passed: Sequence[str], request: Request, folder: Path, note: Note) -> list[dict[str, Any]]:
    """Every contestant in turn, forward and backward, the first of them twice a round: A/A."""
    if not passed:
        return []
    caches = {c: caches_in(folder / f"cache-{name}-{c}") for c in passed}
    turns: list[dict[str, Any]] = []
    for number in range(request.rounds):
        order = [*passed, passed[0]]
        for place, contestant in enumerate(order if number % 2 == 0 else order[::-1]):
            note(f"{name}: round {number + 1} of {request.rounds}, {contestant}")
            cold = not any(turn["contestant"] == contestant for turn in turns)  # nothing in its caches yet
            said = {"contestant": contestant, "round": number, "place": place, "cold": cold}
            turns.append({**said, **_turn(name, contestant, request, folder, caches[contestant])})
    return turns


def _turn(name: str, contestant: str, request: Request, folder: Path, caches: Mapping[str, str]) -> dict[str, Any]:
    job = Job(
        contestant, name, request.precision, request.device, "time", str(folder / "turn.json"),
        blocks=request.blocks, seconds=request.seconds, threads=request.threads,
    )  # fmt: skip
    before = os.getloadavg()[0]
    try:
        found = run(job, caches)
    except ProcessError as error:
        found = {"error": str(error)}
    return {**found, "load_before": before, "load_after": os.getloadavg()[0]}


def caches_in(folder: Path) -> dict[str, str]:
    """Compiled programs, of JAX and of PyTorch, in a folder of their own that is empty in the first round."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "xla"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
    }


def busy(turn: Mapping[str, Any]) -> bool:
    """Whether others kept the machine busy during a turn."""
    return any(noisy(turn.get(phase, {})) for phase in ("training", "inference"))


def noisy(measured: Mapping[str, Any]) -> bool:
    """Whether others kept more cores busy meanwhile than they may."""
    return (measured.get("others") or 0.0) > NOISY


def default_contestants(tracks: Sequence[str]) -> list[str]:
    """Names of the tracks' contestants, in the order of the registry."""
    return [name for name, found in ENTRIES.items() if found.track in tracks]
