"""One wait in a process of its own: `python -m benchmarks.waits.worker JOB` with a job as JSON."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from benchmarks.speed.own import keep_to_cores, peak_bytes
from benchmarks.waits.tasks import task
from parity.files import write_atomically

PHASES = ("import", "init", "first steps", "training", "evaluation")
"""Phases of a wait, in order. The first steps are those that are handed to the framework at once, ten at most, with the
compilation for them; later compilation, for the smaller batch at the end of an epoch, is in training."""


@dataclass(frozen=True)
class Job:
    """The wait of one process.

    Args:
        task, seed: name of the task, and seed of its weights and data.
        backend, compiled, device: the arguments of `parity.training.make_twin`.
        launched: time at which the process was started, by `time.perf_counter`, whose clock all processes share.
        out: JSON file of the result.
        steps: limit of steps; None takes the task's.
        threads: number of cores that the process may use.
    """

    task: str
    seed: int
    backend: Literal["jax", "torch"]
    compiled: bool
    device: str
    launched: float
    out: str
    steps: int | None = None
    threads: int = 2


class LevelReached(Exception):  # noqa: N818 - no error: the end of the wait
    """The accuracy is reached, which ends the wait."""


@dataclass
class AccuracyWatch:
    """A watcher of the training loop that ends it when the level is reached.

    Args:
        level: test accuracy that ends the loop.
        launched: time at which the process was started.
        curve: step, accuracy and seconds since the start, for each evaluation.
    """

    level: float
    launched: float
    curve: list[tuple[int, float, float]] = field(default_factory=list)

    def trained(self, line: dict[str, Any]) -> None:
        """Ignore a line of the training's metrics."""

    def evaluated(self, line: dict[str, Any]) -> None:
        """Note an evaluation.

        Raises:
            LevelReached: its accuracy is at least the level.
        """
        self.curve.append((line["step"], line["accuracy"], time.perf_counter() - self.launched))
        if line["accuracy"] >= self.level:
            raise LevelReached


class Timed:
    """A session whose first steps and evaluations are timed separately; all else is passed on to the session.

    Attributes:
        begun: time at which the first steps began; 0 before.
        seconds: seconds of the phases "first steps" and "evaluation".
    """

    def __init__(self, session: Any) -> None:
        self._session, self.begun = session, 0.0
        self.seconds = {"first steps": 0.0, "evaluation": 0.0}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def advance(self, batches: Sequence[Any], rates: Sequence[float]) -> Any:
        """Advance the session; the first call is timed, and waits for its end."""
        if self.begun:
            return self._session.advance(batches, rates)
        self.begun = time.perf_counter()
        steps = self._session.advance(batches, rates)
        self._session.wait()
        self.seconds["first steps"] = time.perf_counter() - self.begun
        return steps

    def evaluate(self, batches: Any) -> Any:
        """Evaluate by the session, and add the seconds to the phase."""
        started = time.perf_counter()
        score = self._session.evaluate(batches)
        self.seconds["evaluation"] += time.perf_counter() - started
        return score


def main(argv: list[str]) -> int:
    """Measure the wait of a job, and write the result to its file; return 0."""
    job = Job(**json.loads(argv[0]))
    keep_to_cores(job.threads)
    result = {**waited(job), "peak_bytes": peak_bytes()}
    write_atomically(Path(job.out), json.dumps(result) + "\n")
    return 0


def waited(job: Job) -> dict[str, Any]:
    """Train until the level or the limit; return the seconds of every phase, and whether the level was reached."""
    from parity import training
    from parity.backends import FRAMEWORKS
    from parity.interface.frameworks import framework_of

    import_module(f"parity.backends.{FRAMEWORKS[framework_of(job.backend)][0]}")
    imported = time.perf_counter()
    chosen = task(job.task)
    plan, watch = chosen.plan(job.seed, job.steps), AccuracyWatch(chosen.level, job.launched)
    twin = training.make_twin(plan, job.backend, job.device, compiled=job.compiled)
    session, reached = _timed(twin), False
    try:
        training.begin(plan, twin, watch)
    except LevelReached:
        reached = True
    ended = time.perf_counter()
    seconds = {"import": imported - job.launched, "init": session[0].begun - imported, **session[0].seconds}
    seconds["training"] = ended - job.launched - sum(seconds.values())
    step, accuracy, _ = watch.curve[-1]
    return {
        "phases": {name: seconds[name] for name in PHASES},
        "seconds": ended - job.launched,
        "reached": reached,
        "step": step,
        "accuracy": accuracy,
        "curve": watch.curve,
    }


def _timed(twin: Any) -> list[Timed]:
    """Wrap the sessions that the twin makes from now on into `Timed`, and return the list that they are put into."""
    make, sessions = twin.session, list[Timed]()

    def session(optimizer: Any) -> Timed:
        sessions.append(Timed(make(optimizer)))
        return sessions[-1]

    twin.session = session
    return sessions


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
