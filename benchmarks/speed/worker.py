"""One contestant on one workload, in a process of its own: `python -m benchmarks.speed.worker JOB` with a job as JSON.

A job is timed, proven, or timed at one size after another. The result is a JSON file, a proof also leaves its weights
beside it; see `Job`.
"""

import time

STARTED = time.perf_counter()  # before the frameworks are imported

import gc  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Literal  # noqa: E402

import numpy as np  # noqa: E402

from benchmarks import contestants  # noqa: E402
from benchmarks.contestants import workload  # noqa: E402
from benchmarks.contestants.base import Contestant  # noqa: E402
from benchmarks.contestants.settings import require  # noqa: E402
from benchmarks.speed.energy import Energy  # noqa: E402
from benchmarks.speed.load import Load  # noqa: E402
from benchmarks.speed.own import keep_to_cores, peak_bytes  # noqa: E402
from parity.checks.ladder import STEPS  # noqa: E402
from parity.files import write_atomically  # noqa: E402

WARM_UP = 0.3
"""Seconds of training after the first step that are not timed; one call at least."""
LONG, FEW = 1.0, 3
"""Blocks longer than LONG seconds are timed at most FEW times in a turn."""


@dataclass(frozen=True)
class Job:
    """The work of one process.

    Args:
        contestant, workload: names of the contestant and of the workload.
        precision, device: precision and device of the timing; a proof is in float64, on the device.
        what: "time", "prove", or "grow".
        out: JSON file of the result. A proof's arrays are in the .npz file of the same name.
        blocks: number of timed blocks of training, and of inference.
        seconds: least length of a block.
        threads: number of cores that the process may use.
        points: names of the workloads that a growing job goes through, whatever `workload` is.
    """

    contestant: str
    workload: str
    precision: str
    device: str
    what: Literal["time", "prove", "grow"]
    out: str
    blocks: int = 5
    seconds: float = 0.1
    threads: int = 2
    points: Sequence[str] = ()


def main(argv: list[str]) -> int:
    """Do the job, and write its result; return 0."""
    job = Job(**json.loads(argv[0]))
    keep_to_cores(job.threads)
    result = {"time": timed, "prove": proven, "grow": grown}[job.what](job)
    write_atomically(Path(job.out), json.dumps(result) + "\n")
    return 0


def made(job: Job, precision: str) -> Contestant:
    """Make the job's contestant, which loads its framework."""
    require(precision, job.device)  # type: ignore[arg-type] # a literal
    return contestants.entry(job.contestant).load()(workload.load(job.workload), precision, job.device)  # type: ignore[arg-type] # a literal


def timed(job: Job) -> dict[str, Any]:
    """Time a contestant: seconds of every phase, blocks of steady steps, and peak memory."""
    contestant = made(job, job.precision)
    phases = {"import": time.perf_counter() - STARTED}
    with_data = _clock(phases, "data", lambda: (contestant.workload.weights(), contestant.workload.batches()))
    _clock(phases, "init", lambda: contestant.begin(*with_data))
    _clock(phases, "first step", lambda: contestant.train(contestant.steps_per_call))
    if contestant.steps_per_call > 1:  # the program of a single step too
        _clock(phases, "first single step", lambda: contestant.train(1))
    phases |= contestant.compiling()
    _warm_up(contestant)
    blocks = {"training": steady(contestant, contestant.train, job, contestant.steps_per_call)}
    _clock(phases, "first inference", lambda: contestant.infer(1))
    blocks["inference"] = steady(contestant, contestant.infer, job, 1)
    batches = contestant.pipeline()
    blocks["pipeline"] = steady(contestant, lambda steps: [next(batches) for _ in range(steps)], job, 1)
    return {
        "phases": phases,
        **blocks,
        "peak_bytes": peak_bytes(),
        "steps_per_call": contestant.steps_per_call,
    }


def _warm_up(contestant: Contestant) -> None:
    started = time.perf_counter()
    contestant.train(contestant.steps_per_call)
    while time.perf_counter() - started < WARM_UP:
        contestant.train(contestant.steps_per_call)


def _clock(phases: dict[str, float], name: str, work: Any) -> Any:
    started = time.perf_counter()
    result = work()
    phases[name] = time.perf_counter() - started
    return result


def steady(contestant: Contestant, run: Any, job: Job, multiple: int) -> dict[str, Any]:
    """Time blocks of steady steps, in which no program may be compiled.

    Args:
        contestant: the contestant, which has trained before.
        run: function that takes a number of steps.
        job: the job, with the number and the length of the blocks.
        multiple: number that the steps of a block are a multiple of.

    Returns:
        Steps of a block, seconds a step of each block, load of others, and joules a step where they are known.

    Raises:
        RuntimeError: a program was compiled.
    """
    steps, took = _length(run, max(job.seconds, contestant.block_seconds), multiple)
    before, load, energy = contestant.programs(), Load(), Energy(job.device)
    seconds: list[float] = []
    for _ in range(job.blocks if took < LONG else min(job.blocks, FEW)):
        started = time.perf_counter()
        run(steps)
        seconds.append((time.perf_counter() - started) / steps)
    if (compiled := contestant.programs() - before) > 0:
        raise RuntimeError(f"{job.contestant} compiled {compiled} programs in steady steps; expected none")
    joules = energy.joules()
    return {
        "steps": steps,
        "seconds_per_step": seconds,
        "others": load.others(),
        "joules_per_step": None if joules is None else joules / (steps * len(seconds)),
    }


def _length(run: Any, seconds: float, multiple: int) -> tuple[int, float]:
    """The steps of a block of at least `seconds`, a multiple of `multiple`; and the seconds that it took."""
    steps = multiple
    while True:
        started = time.perf_counter()
        run(steps)
        took = time.perf_counter() - started
        if took >= seconds:
            return steps, took
        wanted = steps * min(10.0, 1.3 * seconds / max(took, 1e-9))
        steps = max(steps + multiple, int(np.ceil(wanted / multiple)) * multiple)


def grown(job: Job) -> dict[str, Any]:
    """Time steady training steps at one size after another; the framework is imported once."""
    contestants.entry(job.contestant).load()
    imported = time.perf_counter() - STARTED
    points = {name: _point(replace(job, workload=name)) for name in job.points}
    return {"phases": {"import": imported}, "points": points}


def _point(job: Job) -> dict[str, Any]:
    contestant, phases = made(job, job.precision), dict[str, float]()
    contestant.begin(contestant.workload.weights(), contestant.workload.batches())
    _clock(phases, "first step", lambda: contestant.train(contestant.steps_per_call))
    _warm_up(contestant)
    blocks = steady(contestant, contestant.train, job, contestant.steps_per_call)
    _forget()
    return {**blocks, "phases": phases, "steps_per_call": contestant.steps_per_call}


def _forget() -> None:
    """Let the next size begin with nothing compiled: PyTorch compiles one function for a few shapes only."""
    gc.collect()
    if "torch._dynamo" in sys.modules:
        sys.modules["torch"].compiler.reset()


def proven(job: Job) -> dict[str, Any]:
    """Train by the same program in float64, from random weights and from the same weights moved by one ulp.

    The .npz file holds of each start ("seen", "moved") the loss, the logits in evaluation before training, and the
    weights after it.
    """
    contestant, arrays = made(job, "float64"), {}
    case = contestant.workload.case()
    for start, weights in (("seen", case.weights), ("moved", case.moved)):
        contestant.begin(weights, case.batches)
        arrays[f"{start}/logits"] = contestant.logits(case.batches[0].inputs)
        steps = max(STEPS, contestant.steps_per_call)
        arrays[f"{start}/loss"] = np.asarray(contestant.train(steps))
        arrays |= {f"{start}/weights/{name}": array for name, array in contestant.weights().items()}
    np.savez(Path(job.out).with_suffix(".npz"), **arrays)  # type: ignore[arg-type] # names are not keywords of its own
    return {"steps": steps}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
