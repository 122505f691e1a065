"""The wait for a result, from the start of a process to an accuracy, in seconds: `python -m benchmarks result`.

The loop is that of `parity train`, in Flax, in PyTorch, and in PyTorch with compiled steps. Each wait is a fresh
process whose compiler's cache is empty, in turns over the seeds; at the end comes one more of the first seed from its
cache. A wait that ends at the limit of steps without the accuracy is reported as not reached, and counts as longer than
any that gets there.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from json import dumps
from pathlib import Path
from typing import Any

from benchmarks import contestants
from benchmarks.contestants import workload
from benchmarks.speed import process, record
from benchmarks.speed.gate import Gate
from benchmarks.speed.load import Load
from benchmarks.speed.measure import caches_in, noisy
from benchmarks.speed.record import Note
from benchmarks.waits.tasks import TASKS, Task, task
from benchmarks.waits.worker import Job
from parity.errors import UsageError, unknown_name
from parity.training import make_twin

CONTESTANTS = ("flax-tuned", "torch-eager", "torch-tuned")
"""The contestants whose loop is the project's own."""


@dataclass(frozen=True)
class Request:
    """A request to measure waits.

    Args:
        tasks, contestants: names of the tasks and of the contestants.
        seeds: number of seeds, which count from 0.
        steps: limit of steps for all tasks; None takes each task's own.
        device: device of each process, "cpu", "gpu" or "tpu".
        threads: number of cores that each process may use.
    """

    tasks: Sequence[str]
    contestants: Sequence[str] = CONTESTANTS
    seeds: int = 3
    steps: int | None = None
    device: str = "cpu"
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    @property
    def command(self) -> str:
        """The command line that makes such a record again."""
        listed = [f"--task {name}" for name in self.tasks] + [f"--contestant {name}" for name in self.contestants]
        limit = [] if self.steps is None else [f"--steps {self.steps}"]
        settings = [f"--seeds {self.seeds}", *limit, f"--device {self.device} --threads {self.threads}"]
        return " ".join(["python -m benchmarks result", *listed, *settings])


def measure(request: Request, note: Note) -> dict[str, Any]:
    """Measure all tasks, and return the record, see `benchmarks.speed.record`; `note` is called with progress."""
    load, about = Load(), record.about("result", request.command, request)
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        tasks = {name: _task(name, request, Path(folder), note) for name in request.tasks}
    return {
        **about,
        "load_average": os.getloadavg(),
        "others": load.others(),
        "busy": any(noisy(turn) for part in tasks.values() for turn in part["turns"]),
        "tasks": tasks,
    }


def _task(name: str, request: Request, folder: Path, note: Note) -> dict[str, Any]:
    """Prove the contestants on one task, then measure the waits of those that are proven."""
    chosen = task(name)
    chosen.plan(0)  # whether the data are there
    gate = Gate(workload.load(chosen.workload), request.device, folder, request.threads, note)
    absent = {c: reason for c in request.contestants if (reason := _absent(chosen, c, request.device))}
    proofs = {contestant: gate.prove(contestant) for contestant in request.contestants if contestant not in absent}
    passed = [contestant for contestant, proof in proofs.items() if proof.verdict.passes]
    about = {key: value for key, value in asdict(chosen).items() if key in ("title", "level", "every", "why")}
    return {
        **about,
        "steps": request.steps or chosen.steps,
        "absent": absent,
        "proofs": {contestant: proof.to_json() for contestant, proof in proofs.items()},
        "turns": [*_turns(name, passed, request, folder, note)],
    }


def _absent(chosen: Task, contestant: str, device: str) -> str:
    """The reason why a contestant has no wait of its own; "" if it has."""
    if contestant != "torch-tuned":
        return ""
    from parity.backends.torch.training.compiled import CompiledTorchSession

    plan = chosen.plan(0)
    session = make_twin(plan, "torch", device, compiled=True).session(plan.recipe.optimizer)
    here = isinstance(session, CompiledTorchSession)
    return "" if here else "is torch-eager here: PyTorch's steps are compiled for small networks only, or off the CPU"


def _turns(name: str, passed: Sequence[str], request: Request, folder: Path, note: Note) -> list[dict[str, Any]]:
    """Measure every contestant at each seed with an empty cache, then at the first seed with the cache that it left.

    The order of the contestants turns round from seed to seed.
    """
    rounds = [(seed, seed, True) for seed in range(request.seeds)] + [(request.seeds, 0, False)]
    turns = []
    for number, seed, cold in rounds if passed else ():
        for place, contestant in enumerate(passed if number % 2 == 0 else passed[::-1]):
            note(f"{name}: seed {seed}, {contestant}{'' if cold else ', compiled before'}")
            caches = caches_in(folder / f"cache-{name}-{contestant}-{seed}")
            about = {"contestant": contestant, "round": number, "place": place, "seed": seed, "cold": cold}
            turns.append({**about, **_turn(name, contestant, seed, request, folder, caches)})
    return turns


def _turn(
    name: str, contestant: str, seed: int, request: Request, folder: Path, caches: Mapping[str, str]
) -> dict[str, Any]:
    out, framework = folder / "turn.json", contestants.entry(contestant).framework
    job = Job(
        name, seed, framework, contestant == "torch-tuned", request.device, time.perf_counter(), str(out),  # type: ignore[arg-type] # a literal
        steps=request.steps, threads=request.threads,
    )  # fmt: skip
    command, load = ["benchmarks.waits.worker", dumps(asdict(job))], Load()  # its compilers' processes are its own
    try:
        result = process.launch(command, out, {**process.threads_of(request.threads), **caches})
        return {**result, "others": load.others()}
    except process.ProcessError as error:
        return {"error": str(error)}


def markdown(document: Mapping[str, Any]) -> str:
    """The record as tables; see `benchmarks.waits.page`."""
    from benchmarks.waits import page as time_to_page

    return time_to_page.markdown(document)


def figure(document: Mapping[str, Any]) -> Any:
    """The record as a Matplotlib figure, bars by phases; see `benchmarks.waits.page`."""
    from benchmarks.waits import page as time_to_page

    return time_to_page.figure(document)


def run(arguments: argparse.Namespace) -> int:
    """Wait, print the tables, and write the record."""
    for name, least in (("seeds", 1), ("steps", 1)):
        if (value := getattr(arguments, name)) is not None and value < least:
            raise UsageError(f"got --{name} {value}; give at least {least}")
    for name in arguments.contestant or ():
        if name not in CONTESTANTS:
            raise unknown_name("loop of the project's own", name, CONTESTANTS)
    settings = {name: getattr(arguments, name) for name in ("seeds", "steps", "threads")}
    request = Request(
        tasks=arguments.task or list(TASKS),
        contestants=arguments.contestant or CONTESTANTS,
        device=arguments.device,
        **{name: value for name, value in settings.items() if value is not None},
    )
    return record.make(arguments.out, "-result", partial(measure, request), markdown)


def add_command(commands: Any) -> None:
    """Declare the command `python -m benchmarks result` and its options."""
    parser = commands.add_parser("result", help="seconds until an accuracy is reached; writes a record")
    parser.add_argument("--task", action="append", choices=tuple(TASKS), help="what is waited for (all)")
    parser.add_argument("--contestant", action="append", metavar="NAME", help=f"of {', '.join(CONTESTANTS)} (all)")
    parser.add_argument("--seeds", type=int, help="waits of each contestant (3)")
    parser.add_argument("--steps", type=int, help="limit (each task's own)")
    parser.add_argument("--device", choices=("cpu", "gpu", "tpu"), default="cpu")
    parser.add_argument("--threads", type=int, help="cores that each process may use (all)")
    parser.add_argument("--out", metavar="FILE", help="the record (a dated file under build/benchmarks)")
    parser.set_defaults(do=run)
