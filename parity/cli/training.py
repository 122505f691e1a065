"""`parity train`: from the command line to a plan, and to a run that begins or goes on."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from parity import recipes
from parity.backends import Twin
from parity.backends.processes.configuration import keep_compiled_programs
from parity.cli import interrupt
from parity.cli.policies import train as policies
from parity.data.image_sets import is_images, unknown_images
from parity.errors import UsageError
from parity.report import terminal
from parity.report.training import Bar, show_summary
from parity.training import Outcome, Plan, begin, checkpoint, make_plan, make_twin, resume
from parity.training.diverged import DivergedError
from parity.training.folder import run_of
from parity.training.loop import Silent, Watcher
from parity.training.together import Together, is_to_be_launched, kept, launch_all, require_fit, together

ANEW = (
    "data",
    "length",
    "seed",
    "init",
    "precision",
    "learning_rate",
    "batch_norm",
    "batch_size",
    "evaluate_every",
    "checkpoint_every",
    "keep",
)
"""Options that a resumed run takes from its checkpoint."""


def run(arguments: argparse.Namespace) -> int:
    """Train and return the exit code: 0 done, 1 diverged, 130 interrupted; `launch_all` has more."""
    if (recipe := recipes.load(arguments.name)).rollouts is not None:
        return policies.run(arguments, recipe)
    require_fit(arguments)
    if is_to_be_launched(arguments):
        interrupt.gently()
        return launch_all(arguments)
    if arguments.backend == "jax":
        keep_compiled_programs()
    try:
        with together(arguments) as group:
            outcome = _resume(arguments, group) if arguments.resume else _begin(arguments, group)
    except DivergedError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"parity: stopped{stopped}", file=sys.stderr)
        return 130
    if group.member.leads:
        show_summary(terminal.console(), outcome.summary)
    return 0


def _begin(arguments: argparse.Namespace, group: Together) -> Outcome:
    plan = make_plan(
        _recipe(arguments),
        data=arguments.data,
        seed=arguments.seed or 0,
        precision=arguments.precision or ("float64" if arguments.backend == "numpy" else "float32"),
        steps=arguments.steps,
        epochs=arguments.epochs,
        evaluate_every=arguments.evaluate_every,
        checkpoint_every=arguments.checkpoint_every,
        keep=arguments.keep or 3,
        norm_parts=group.member.devices if arguments.batch_norm == "per-device" else 1,
        folder=arguments.data_dir,
        download=arguments.download,
    )
    twin = _twin(arguments, plan, group)
    out = Path(arguments.out) if arguments.out and group.member.leads else None
    with _bar(arguments, plan, out, group) as watcher, _stopped_at(out):
        return begin(plan, twin, watcher, out=out, folder=arguments.data_dir, pulse=group.pulse)


def _resume(arguments: argparse.Namespace, group: Together) -> Outcome:
    fixed = ["--" + name.replace("_", "-") for name in ANEW if getattr(arguments, name) is not None]
    if fixed:
        raise UsageError(f"{', '.join(fixed)} cannot change in a resumed run; leave them out, or begin a new run")
    start = checkpoint.load(checkpoint.latest(Path(arguments.resume)))
    recipe = start.plan.recipe
    if recipe.name != arguments.name:
        raise UsageError(f"{start.path} is a checkpoint of {recipe.name}, not of {arguments.name}; name {recipe.name}")
    today = recipes.load(recipe.name)
    if (recipe.network, recipe.config) != (today.network, today.config):
        raise UsageError(
            f"{start.path} is of {recipe.network} {dict(recipe.config)}, not what {recipe.name} is; begin a new run"
        )
    plan = replace(start.plan, precision="float64") if arguments.backend == "numpy" else start.plan
    steps = arguments.steps
    if arguments.epochs is not None or arguments.download:
        again = make_plan(
            recipe,
            data=plan.data,
            seed=plan.seed,
            steps=arguments.steps or (None if arguments.epochs else plan.steps),
            epochs=arguments.epochs,
            folder=arguments.data_dir,
            download=arguments.download,
        )
        steps = again.steps
    twin = _twin(arguments, plan, group)
    out = _place(arguments, start) if group.member.leads else None
    start = replace(start, plan=plan)
    with _bar(arguments, plan, out, group, steps, start.state.step) as watcher, _stopped_at(out):
        return resume(start, twin, watcher, steps=steps, out=out, folder=arguments.data_dir, pulse=group.pulse)


def _place(arguments: argparse.Namespace, start: checkpoint.Checkpoint) -> Path | None:
    """The folder of a resumed run: --out, else the one it was in; None if another framework goes on with it."""
    if arguments.out:
        return Path(arguments.out)
    return run_of(start.path) if start.backend == arguments.backend else None


@contextmanager
def _stopped_at(out: Path | None) -> Iterator[None]:
    """Add to a KeyboardInterrupt the checkpoint from which the run can be resumed."""
    interrupt.gently()
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; {kept(out)}") from None


def _recipe(arguments: argparse.Namespace) -> recipes.Recipe:
    recipe = recipes.load(arguments.name)
    if arguments.data is not None and not is_images(arguments.data):
        raise unknown_images(arguments.data)
    if arguments.data is not None and not is_images(recipe.data):
        raise UsageError(f"--data does not fit {recipe.name}; it is trained on {recipe.data}")
    if arguments.length is not None and recipe.length is None:
        raise UsageError(f"--length does not fit {recipe.name}; it is trained on {recipe.data}")
    change: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in ("length", "init", "batch_size")
        if getattr(arguments, name) is not None
    }
    if arguments.learning_rate is not None:
        change["optimizer"] = replace(recipe.optimizer, learning_rate=arguments.learning_rate)
    return replace(recipe, **change)


def _twin(arguments: argparse.Namespace, plan: Plan, group: Together) -> Twin:
    count = group.member.devices
    return make_twin(plan, arguments.backend, arguments.device, compiled=arguments.compile, devices=count)


def _bar(
    arguments: argparse.Namespace,
    plan: Plan,
    out: Path | None,
    group: Together,
    steps: int | None = None,
    first: int = 0,
) -> AbstractContextManager[Watcher]:
    if not group.member.leads or arguments.quiet:
        return nullcontext(Silent())
    console = terminal.console(stderr=True)
    if out is None:
        console.print("nothing is kept: --out DIR says where to keep metrics and checkpoints")
    return Bar(console, f"{plan.recipe.name} {arguments.backend}", steps or plan.steps, first)
