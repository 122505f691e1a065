"""An estimate of the duration of a reproduction, from a few steps of each of its runs on this machine."""

import time
from collections.abc import Iterable
from typing import Any

from parity.interface import random as initial
from parity.study.runs import Runs
from parity.training import Plan
from parity.training.plan import open_training

STEPS = 3  # that are timed, after as many that compile and warm up


def seconds(runs: Runs, plans: Iterable[tuple[Plan, str]]) -> float:
    """Estimate the seconds of training of the runs that are not kept yet; evaluations and compilation are left out."""
    total, known = 0.0, dict[Any, float]()
    for plan, backend in plans:
        if runs.kept(plan, backend) is not None:
            continue
        key = (backend, plan.recipe.name, plan.recipe.length, plan.data)
        if key not in known:
            known[key] = _seconds_per_step(runs, plan, backend)
        total += known[key] * plan.steps
    return total


def _seconds_per_step(runs: Runs, plan: Plan, backend: str) -> float:
    twin = runs.twin(plan, backend)
    twin.load(initial.draw(twin.shapes(), plan.recipe.init, plan.seed))
    session = twin.session(plan.recipe.optimizer)
    stream = open_training(plan.recipe, plan.data, plan.seed, folder=runs.data_dir)
    batches = [stream.batch(0, 0)] * STEPS
    rates = [plan.recipe.optimizer.learning_rate] * STEPS
    session.advance(batches, rates).fetch()
    started = time.perf_counter()
    session.advance(batches, rates).fetch()
    return (time.perf_counter() - started) / STEPS


def in_words(duration: float) -> str:
    """A duration in seconds as text, such as "45 s", "12 min" or "3.5 h"."""
    if duration < 90:
        return f"{duration:.0f} s"
    return f"{duration / 60:.0f} min" if duration < 5400 else f"{duration / 3600:.1f} h"
