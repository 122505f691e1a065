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
"""Number of cores that others may keep busy during a block before the run counts as one on a busy machine."""


@dataclass(frozen=True)
class Request:
    """A request to measure speed.

    Args:
        workloads, contestants: names of the workloads and of the contestants.
        precision: precision of products, "float32", "tf32" or "bfloat16".
        device: "cpu", "gpu" or "tpu".
        rounds: number of turns of every contestant, each in a fresh process.
        blocks: number of timed blocks in a turn.
        seconds: least length of a block.
        threads: number of cores that each process may use.
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
    """Measure the limits and all workloads, and return the record, see `benchmarks.speed.record`."""
    load, about = Load(), record.about("run", command(request), request)
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        place = Path(folder)
        note("measuring the machine's limits")
        before = limits(request, place)
        results = {name: workload_result(name, request, place, note) for name in request.workloads}
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
        "busy": any(busy(turn) for result in results.values() for turn in result["turns"]),
        "workloads": results,
    }


def command(request: Request) -> str:
    """The command line that makes such a record again."""
    listed = [f"--workload {name}" for name in request.workloads] + [f"--contestant {n}" for n in request.contestants]
    settings = f"--precision {request.precision} --device {request.device} --rounds {request.rounds}"
    return " ".join(
        ["python -m benchmarks run", *listed, settings, f"--blocks {request.blocks} --seconds {request.seconds:g}"]
    )


def limits(request: Request, folder: Path) -> dict[str, Any]:
    """Measure what each framework reaches on this machine, see `benchmarks.speed.ceilings.measure`."""
    rates = {}
    for framework in sorted({entry(name).framework for name in request.contestants}):
        out = folder / f"ceilings-{framework}.json"
        numbers = map(str, (request.threads, request.blocks, request.seconds))
        command = ["benchmarks.speed.ceilings", framework, request.device, request.precision, *numbers, str(out)]
        try:
            rates[framework] = launch(command, out, threads_of(request.threads))
        except ProcessError as error:
            raise UsageError(f"the machine's limits could not be measured by {framework}: {error}") from error
    return rates


def workload_result(name: str, request: Request, folder: Path, note: Note) -> dict[str, Any]:
    """Prove all contestants on one workload, and time those that are proven."""
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
    """Time every contestant in turn; the order turns from round to round, and the first has two turns a round: A/A."""
    if not passed:
        return []
    caches = {c: caches_in(folder / f"cache-{name}-{c}") for c in passed}
    turns: list[dict[str, Any]] = []
    for number in range(request.rounds):
        order = [*passed, passed[0]]
        for place, contestant in enumerate(order if number % 2 == 0 else order[::-1]):
            note(f"{name}: round {number + 1} of {request.rounds}, {contestant}")
            cold = not any(turn["contestant"] == contestant for turn in turns)  # nothing in its caches yet
            about = {"contestant": contestant, "round": number, "place": place, "cold": cold}
            turns.append({**about, **_turn(name, contestant, request, folder, caches[contestant])})
    return turns


def _turn(name: str, contestant: str, request: Request, folder: Path, caches: Mapping[str, str]) -> dict[str, Any]:
    job = Job(
        contestant, name, request.precision, request.device, "time", str(folder / "turn.json"),
        blocks=request.blocks, seconds=request.seconds, threads=request.threads,
    )  # fmt: skip
    before = os.getloadavg()[0]
    try:
        result = run(job, caches)
    except ProcessError as error:
        result = {"error": str(error)}
    return {**result, "load_before": before, "load_after": os.getloadavg()[0]}


def caches_in(folder: Path) -> dict[str, str]:
    """Environment variables that put JAX's and PyTorch's compiled programs into a folder, empty in the first round."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "xla"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
    }


def busy(turn: Mapping[str, Any]) -> bool:
    """Whether others kept the machine busy during a turn."""
    return any(noisy(turn.get(phase, {})) for phase in ("training", "inference"))


def noisy(measured: Mapping[str, Any]) -> bool:
    """Whether others kept more than `NOISY` cores busy during a measurement."""
    return (measured.get("others") or 0.0) > NOISY


def default_contestants(tracks: Sequence[str]) -> list[str]:
    """Names of the tracks' contestants, in the order of the registry."""
    return [name for name, contestant in ENTRIES.items() if contestant.track in tracks]
