"""`parity train` for agents: from the command line to a run that gathers its own data."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from parity.backends import Precision, twin_class
from parity.errors import UsageError
from parity.recipes import Recipe
from parity.report import terminal
from parity.training.diverged import DivergedError
from parity.training.journal import Line
from parity.training.policy import train_policy

ELSEWHERE = (
    "epochs", "resume", "data_dir", "download", "devices", "distributed", "data", "length", "batch_norm",
    "evaluate_every", "checkpoint_every", "keep",
)  # fmt: skip
"""Options of other runs, which an agent's does not have."""
LINE_EVERY = 10.0
"""Seconds between two lines of progress."""


def run(arguments: argparse.Namespace, recipe: Recipe) -> int:
    """Train and return the exit code: 0 done, 1 diverged, 130 interrupted.

    Raises:
        UsageError: an option does not go with an agent, or what the run needs is not there.
    """
    inputs = ["--" + name.replace("_", "-") for name in ELSEWHERE if getattr(arguments, name) not in (None, False)]
    if inputs:
        raise UsageError(
            f"{', '.join(inputs)} does not fit {recipe.name}, whose data its own policy gathers; leave it out"
        )
    recipe = _changed(recipe, arguments)
    precision: Precision = arguments.precision or ("float64" if arguments.backend == "numpy" else "float32")
    cls = twin_class(arguments.backend)
    model = cls.build(recipe.network, recipe.config, init=recipe.init)
    twin = cls(model, precision=precision, device=arguments.device)
    twin.compiled = arguments.compile
    out = Path(arguments.out) if arguments.out else None
    try:
        words = AgentProgress(f"{recipe.name} {arguments.backend}", quiet=arguments.quiet)
        summary = train_policy(recipe, twin, seed=arguments.seed or 0, steps=arguments.steps, out=out, tell=words)
    except DivergedError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("parity: stopped; nothing was kept but the metrics", file=sys.stderr)
        return 130
    show(summary)
    return 0


def _changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    change: dict[str, Any] = {n: getattr(arguments, n) for n in ("init", "batch_size") if getattr(arguments, n)}
    if arguments.learning_rate is not None:
        change["optimizer"] = replace(recipe.optimizer, learning_rate=arguments.learning_rate)
    return replace(recipe, **change)


class AgentProgress:
    """Says now and then on stderr how an agent does."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title, self._quiet, self._printed = title, quiet, time.monotonic()

    def __call__(self, line: Line) -> None:
        """Take the line of a rollout."""
        if self._quiet or time.monotonic() - self._printed < LINE_EVERY:
            return
        self._printed = time.monotonic()
        earned = "no episode ended" if line["mean_return"] is None else f"mean return {line['mean_return']:.1f}"
        print(f"{self._title} step {line['step']}: {earned}, loss {line['loss']:.4f}", file=sys.stderr, flush=True)


def show(summary: dict[str, Any]) -> None:
    """Print what the trained policy and a random one earn."""
    terminal.console().print(
        f"{summary['recipe']} on {summary['environment']} in {summary['backend']} ({summary['precision']}, "
        f"{summary['device']}), seed {summary['seed']}: {summary['steps']:,} steps on "
        f"{summary['environment_steps']:,} of the environment, {summary['seconds']:.1f} s\n"
        f"mean return {summary['mean_return']:.1f}, least {summary['least_return']:.0f}, over {summary['episodes']} "
        f"episodes; of a random policy {summary['random_mean_return']:.1f}",
        soft_wrap=True,
    )
