"""Times training on some devices, in a process of its own: `python -m benchmarks.scaling.worker JOB OUT`.

The process and what it launches keep to as many cores as there are devices, or to all there are.
"""

import json
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks.contestants import workload
from benchmarks.speed.own import keep_to_cores
from parity.backends import Devices, twin_class
from parity.backends.processes.members import joined
from parity.backends.processes.several_devices import TIMEOUT, together
from parity.files import write_atomically

WARM_UP = 2


@dataclass(frozen=True)
class Job:
    """The case that a process times.

    Args:
        framework: "jax" or "torch".
        workload: name of the workload, at the size of the global batch.
        devices: number of devices that train together.
        steps: number of steps that are timed, after `WARM_UP`.
    """

    framework: str
    workload: str
    devices: int
    steps: int


def timed(job: Job) -> float:
    """Train in this process, one of the job's, and return the seconds a step; all processes take the same steps."""
    with nullcontext() if job.devices == 1 else joined(job.framework, job.devices, "cpu", TIMEOUT):
        chosen = workload.load(job.workload)
        cls, recipe = twin_class(job.framework), chosen.recipe
        twin = cls(cls.build(recipe.network, recipe.config), precision="float32")
        twin.load(chosen.weights())
        twin.devices = Devices(job.devices)
        session, batches = twin.session(recipe.optimizer), cycle(chosen.batches())
        for steps in (WARM_UP, job.steps):
            taken, rates = list(islice(batches, steps)), [recipe.optimizer.learning_rate] * steps
            started = time.perf_counter()
            session.advance(taken, rates).fetch()
            seconds = time.perf_counter() - started
        return seconds / job.steps


def main(job: Job, out: Path) -> None:
    """Time the job in as many processes as the framework needs, and write the seconds of the first to `out`."""
    keep_to_cores(min(job.devices, len(os.sched_getaffinity(0))))
    several = job.framework == "torch" and job.devices > 1
    seconds = together(timed, job, job.devices) if several else timed(job)
    write_atomically(out, json.dumps({"seconds_per_step": seconds}) + "\n")


if __name__ == "__main__":
    main(Job(**json.loads(sys.argv[1])), Path(sys.argv[2]))
