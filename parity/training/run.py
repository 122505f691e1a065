"""Runs from their beginning or from a checkpoint, and what they leave in their folder."""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parity.backends import Devices, Session, Twin, twin_class
from parity.data.folder.source import title
from parity.data.registry import evaluation_splits
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
        summary: what `summary.json` says.
        lines: all its metrics.
    """

    summary: dict[str, Any]
    lines: Sequence[Line]


def make_twin(plan: Plan, backend: str, device: str = "cpu", *, compiled: bool = False, devices: int = 1) -> Twin:
    """The network that a plan trains; one twin can serve many runs, which then compile once.

    Args:
        plan, backend, device: what trains, and where.
        compiled: let PyTorch compile the training step; JAX's is compiled anyway.
        devices: how many train together, of all processes.

    Raises:
        UsageError: no such backend, or it has not the precision or the device; or not the plan's number of devices,
            where BatchNorm's statistics are each device's own.
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
        plan, twin: what is trained.
        watcher: is told how it goes on.
        out: a new or empty folder that takes metrics, checkpoints and summary; None keeps nothing.
        folder: where the images' files are.
        pulse: see `Loop`.

    Raises:
        UsageError: the folder holds something already or cannot be written.
        DivergedError: the loss is not finite.
    """
    twin.load(initial.draw(twin.shapes(), plan.recipe.init, plan.seed))
    if out is not None:
        require_empty(out)
    return _run(plan, twin.session(plan.recipe.optimizer), watcher, [], out, folder, pulse)


def resume(
    found: checkpoint.Checkpoint,
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
        found: the checkpoint.
        twin, watcher, folder, pulse: as of `begin`.
        steps: of the whole run, if it is to be longer or shorter than planned.
        out: where it goes on; a folder other than that of the checkpoint's run gets the metrics so far too.

    Raises:
        UsageError: the weights are not those of the network; the run has more steps already; as `begin`.
        DivergedError: the loss is not finite.
    """
    plan = found.plan if steps is None else replace(found.plan, steps=steps)
    if found.state.step > plan.steps:
        raise UsageError(f"the checkpoint is at step {found.state.step}, beyond {plan.steps}; give more steps")
    session = twin.session(plan.recipe.optimizer)
    try:
        session.load(found.state)
    except UsageError as error:
        raise UsageError(f"checkpoint {found.path}: {error}") from error
    run = run_of(found.path)
    if out is not None:
        _require_room(out, run, found.path)
    before = [] if run is None else [line for line in journal.read(run / METRICS) if line["step"] <= found.state.step]
    return _run(plan, session, watcher, before, out, folder, pulse)


def _require_room(out: Path, run: Path | None, path: Path) -> None:
    """Raise UsageError if going on there would overwrite something."""
    if run is None or out.resolve() != run:
        require_empty(out)
    elif newer := checkpoint.later(path):
        at = checkpoint.step_of(newer[-1])
        raise UsageError(f"the run has gone on to step {at} since {path.name}; give --resume {run}, or a new --out")


def _run(
    plan: Plan,
    session: Session,
    watcher: Watcher,
    before: list[Line],
    out: Path | None,
    folder: str | None,
    pulse: Callable[[], None] | None,
) -> Outcome:
    commit()  # noted before the training, not after it
    train = open_training(plan.recipe, plan.data, plan.seed, folder=folder)
    require_agreement(plan, session, train)
    wanted = [split for split in evaluation_splits(plan.data) if split != "train" or split in plan.recipe.evaluate_on]
    splits = {split: open_evaluation(plan, split, folder=folder) for split in wanted}
    first, seconds = session.step, max((line["seconds"] for line in _training(before)), default=0.0)
    with nullcontext() if out is None else taken(out) as kept:
        with Journal(None if out is None else out / METRICS, before) as lines:
            loop = Loop(plan, session, train, splits, lines, watcher, kept, seconds, pulse)
            loop.run()
        summary = summarise(plan, session.network, lines.lines, first)
        if out is not None:
            write_atomically(out / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return Outcome(summary, lines.lines)


def summarise(plan: Plan, network: Network, lines: Sequence[Line], first: int) -> dict[str, Any]:
    """The end of a run: last evaluations, training accuracy of the last epoch (or log line), and speed."""
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
    """Mean loss and accuracy of the training batches since the last evaluation but one; None if no line tells them."""
    start = (plan.steps - 1) // plan.evaluate_every * plan.evaluate_every
    recent = [line for line in _training(lines) if line["step"] > start]
    if not recent:
        return None
    samples = sum(line["samples"] for line in recent)
    means = {key: sum(line[key] * line["samples"] for line in recent) / samples for key in ("loss", "accuracy")}
    return {**means, "samples": samples}


def _training(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line["kind"] == "train"]
