"""Training runs, from their beginning or from a checkpoint, and the files in their folder."""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parity.backends import Devices, Session, Twin, twin_class
from parity.data.image_sets import title
from parity.data.sets.table import data_set
from parity.errors import UsageError
from parity.files import write_atomically
from parity.interface import random as initial
from parity.interface.frameworks import backend_of
from parity.interface.network import Network
from parity.report.environment import commit, hardware, versions
from parity.training import checkpoint, journal
from parity.training.agreement import require_agreement
from parity.training.folder import METRICS, SUMMARY, require_empty, run_of, taken
from parity.training.journal import Journal, Line
from parity.training.loop import Loop, Watcher
from parity.training.plan import Plan, open_evaluation, open_training


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Args:
        summary: the content of `summary.json`.
        lines: all lines of its metrics.
    """

    summary: dict[str, Any]
    lines: Sequence[Line]


@dataclass(frozen=True)
class _Surroundings:
    """Where a run reads its images, writes its files and reports to; the arguments are those of `begin`."""

    watcher: Watcher
    out: Path | None
    folder: str | None
    pulse: Callable[[], None] | None


def make_twin(plan: Plan, backend: str, device: str = "cpu", *, compiled: bool = False, devices: int = 1) -> Twin:
    """The network that a plan trains; one twin can serve many runs, which then compile once.

    Args:
        plan: the plan, which names network, initialiser and precision.
        backend: "jax", "torch" or "numpy".
        device: "cpu", "gpu" or "tpu".
        compiled: whether PyTorch compiles the training step; JAX's is compiled anyway.
        devices: number of devices that train together, over all processes.

    Raises:
        UsageError: there is no such backend, or it lacks the precision or the device; or the number of devices is
            not the plan's, where each device has BatchNorm statistics of its own.
    """
    together = Devices(devices, plan.norm_parts)
    cls = twin_class(backend)
    model = cls.build(plan.recipe.network, plan.recipe.config, init=plan.recipe.init)
    twin = cls(model, precision=plan.precision, device=device)
    twin.compiled, twin.devices = compiled, together
    return twin


def begin(
    plan: Plan,
    twin: Twin,
    watcher: Watcher,
    *,
    out: Path | None = None,
    folder: str | None = None,
    pulse: Callable[[], None] | None = None,
) -> Outcome:
    """Train from the initial weights, which the plan's seed draws alike for every framework.

    Args:
        plan: the plan of the run.
        twin: the network to train; its weights are overwritten.
        watcher: observer that is called with each line of the metrics.
        out: a new or empty folder for metrics, checkpoints and summary; None keeps nothing.
        folder: folder of the images' files.
        pulse: called whenever some work is done.

    Raises:
        UsageError: the folder holds something already or cannot be written.
        DivergedError: the loss is not finite.
    """
    twin.load(initial.draw(twin.shapes(), plan.recipe.init, plan.seed))
    if out is not None:
        require_empty(out)
    return _run(plan, twin.session(plan.recipe.optimizer), [], _Surroundings(watcher, out, folder, pulse))


def resume(
    start: checkpoint.Checkpoint,
    twin: Twin,
    watcher: Watcher,
    *,
    steps: int | None = None,
    out: Path | None = None,
    folder: str | None = None,
    pulse: Callable[[], None] | None = None,
) -> Outcome:
    """Train on from a checkpoint, in whichever framework the twin is of.

    Args:
        start: the checkpoint.
        twin, watcher, folder, pulse: the same arguments as those of `begin`.
        steps: number of steps of the whole run; None takes the plan's.
        out: folder of the run from now on; one that is not the checkpoint's run's gets the metrics so far too.

    Raises:
        UsageError: the weights are not those of the network, the run has more steps already, or the folder holds
            something that would be overwritten or cannot be written.
        DivergedError: the loss is not finite.
    """
    plan = start.plan if steps is None else replace(start.plan, steps=steps)
    if start.state.step > plan.steps:
        raise UsageError(f"the checkpoint is at step {start.state.step}, beyond {plan.steps}; give more steps")
    session = twin.session(plan.recipe.optimizer)
    try:
        session.load(start.state)
    except UsageError as error:
        raise UsageError(f"checkpoint {start.path}: {error}") from error
    run = run_of(start.path)
    if out is not None:
        _require_room(out, run, start.path)
    before = [] if run is None else [line for line in journal.read(run / METRICS) if line["step"] <= start.state.step]
    return _run(plan, session, before, _Surroundings(watcher, out, folder, pulse))


def _require_room(out: Path, run: Path | None, path: Path) -> None:
    """Raise UsageError if going on there would overwrite something."""
    if run is None or out.resolve() != run:
        require_empty(out)
    elif newer := checkpoint.later(path):
        at = checkpoint.step_of(newer[-1])
        raise UsageError(f"the run has gone on to step {at} since {path.name}; give --resume {run}, or a new --out")


def _run(plan: Plan, session: Session, before: list[Line], around: _Surroundings) -> Outcome:
    """Train until the plan's last step; `before` holds the metrics of the steps that a checkpoint has behind it."""
    out, folder = around.out, around.folder
    commit()  # noted before the training, not after it
    train = open_training(plan.recipe, plan.data, plan.seed, folder=folder)
    require_agreement(plan, session, train)
    wanted = [split for split in data_set(plan.data).evaluated if split != "train" or split in plan.recipe.evaluate_on]
    splits = {split: open_evaluation(plan, split, folder=folder) for split in wanted}
    first, seconds = session.step, max((line["seconds"] for line in _training(before)), default=0.0)
    with nullcontext() if out is None else taken(out) as kept:
        with Journal(None if out is None else out / METRICS, before) as lines:
            loop = Loop(plan, session, train, splits, lines, around.watcher, kept, seconds, around.pulse)
            loop.run()
        summary = summarise(plan, session.network, lines.lines, first)
        if out is not None:
            write_atomically(out / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return Outcome(summary, lines.lines)


def summarise(plan: Plan, network: Network, lines: Sequence[Line], first: int) -> dict[str, Any]:
    """Sum up a run: last evaluations, training accuracy of the last epoch (or log line), and speed."""
    evaluations = {line["split"]: line for line in lines if line["kind"] == "evaluation"}
    train = _training(lines)
    seconds = train[-1]["seconds"] if train else 0.0
    return {
        "recipe": plan.recipe.name,
        "backend": backend_of(network.framework),
        "device": network.device,
        "devices": network.devices.count,
        "precision": network.precision,
        "data": title(plan.data),
        "seed": plan.seed,
        "steps": plan.steps,
        "resumed_at": first,
        "training": last_training(plan, lines),
        **{name: {key: line[key] for key in ("loss", "accuracy", "samples")} for name, line in evaluations.items()},
        "seconds": seconds,
        "samples_per_second": sum(line["samples"] for line in train) / seconds if seconds else None,
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
        "plan": plan.to_json(),
    }


def last_training(plan: Plan, lines: Sequence[Line]) -> dict[str, Any] | None:
    """Mean loss and accuracy of the training batches since the last evaluation but one; None if no line has them."""
    start = (plan.steps - 1) // plan.evaluate_every * plan.evaluate_every
    recent = [line for line in _training(lines) if line["step"] > start]
    if not recent:
        return None
    samples = sum(line["samples"] for line in recent)
    means = {key: sum(line[key] * line["samples"] for line in recent) / samples for key in ("loss", "accuracy")}
    return {**means, "samples": samples}


def _training(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line["kind"] == "train"]
