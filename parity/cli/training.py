"""`parity train`: from words to a plan, and on."""

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
from parity.data.registry import is_images, unknown_images
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
"""Options that a resumed run has from its checkpoint."""


def run(arguments: argparse.Namespace) -> int:
    """Train; the exit code: 1 if the loss diverged."""
    require_fit(arguments)
    if is_to_be_launched(arguments):
        return launch_all(arguments)
    if arguments.backend == "jax":
        keep_compiled_programs()
    try:
        with together(arguments) as own:
            outcome = _resume(arguments, own) if arguments.resume else _begin(arguments, own)
    except DivergedError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"parity: stopped{stopped}", file=sys.stderr)
        return 130
    if own.member.leads:
        show_summary(terminal.console(), outcome.summary)
    return 0


def _begin(arguments: argparse.Namespace, own: Together) -> Outcome:
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
        norm_parts=own.member.devices if arguments.batch_norm == "per-device" else 1,
        folder=arguments.data_dir,
        download=arguments.download,
    )
    twin = _twin(arguments, plan, own)
    out = Path(arguments.out) if arguments.out and own.member.leads else None
    with _bar(arguments, plan, out, own) as watcher, _stopped_at(out):
        return begin(plan, twin, watcher, out=out, folder=arguments.data_dir, pulse=own.pulse)


def _resume(arguments: argparse.Namespace, own: Together) -> Outcome:
    given = ["--" + name.replace("_", "-") for name in ANEW if getattr(arguments, name) is not None]
    if given:
        raise UsageError(f"{', '.join(given)} cannot change in a resumed run; leave them out, or begin a new run")
    found = checkpoint.load(checkpoint.latest(Path(arguments.resume)))
    recipe = found.plan.recipe
    if recipe.name != arguments.name:
        raise UsageError(f"{found.path} is a checkpoint of {recipe.name}, not of {arguments.name}; name {recipe.name}")
    today = recipes.load(recipe.name)
    if (recipe.network, recipe.config) != (today.network, today.config):
        raise UsageError(
            f"{found.path} is of {recipe.network} {dict(recipe.config)}, not what {recipe.name} is; begin a new run"
        )
    plan = replace(found.plan, precision="float64") if arguments.backend == "numpy" else found.plan
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
    twin = _twin(arguments, plan, own)
    out = _place(arguments, found) if own.member.leads else None
    found = replace(found, plan=plan)
    with _bar(arguments, plan, out, own, steps, found.state.step) as watcher, _stopped_at(out):
        return resume(found, twin, watcher, steps=steps, out=out, folder=arguments.data_dir, pulse=own.pulse)


def _place(arguments: argparse.Namespace, found: checkpoint.Checkpoint) -> Path | None:
    """Where a resumed run goes on: where it is told to, else where it was, unless another framework goes on with it."""
    if arguments.out:
        return Path(arguments.out)
    return run_of(found.path) if found.backend == arguments.backend else None


@contextmanager
def _stopped_at(out: Path | None) -> Iterator[None]:
    """Have Ctrl-C tell where the run can be gone on from."""
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


def _twin(arguments: argparse.Namespace, plan: Plan, own: Together) -> Twin:
    count = own.member.devices
    return make_twin(plan, arguments.backend, arguments.device, compiled=arguments.compile, devices=count)


def _bar(
    arguments: argparse.Namespace,
    plan: Plan,
    out: Path | None,
    own: Together,
    steps: int | None = None,
    first: int = 0,
) -> AbstractContextManager[Watcher]:
    if not own.member.leads:
        return nullcontext(Silent())
    console = terminal.console(stderr=True)
    if out is None:
        console.print("nothing is kept: --out DIR says where to keep metrics and checkpoints")
    return Bar(console, f"{plan.recipe.name} {arguments.backend}", steps or plan.steps, first)
