"""Learning-rate schedules of both frameworks, step by step."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.checks.verdict import Finding, Verdict
from parity.errors import UsageError
from parity.pair.arrays.layout import compare
from parity.pair.passes.sides import PRECISIONS, SidePair


@dataclass(frozen=True)
class Schedules:
    """Optax's schedule, a function of the step from 0, and PyTorch's scheduler, for so many steps."""

    flax: Any
    torch: Any
    steps: int


def as_schedules(schedules: Any, steps: int, optimizers: Any) -> Schedules | None:
    """What the user gave, None if nothing.

    Raises:
        UsageError: it is no such pair, or the scheduler is that of another optimizer or wants a metric.
    """
    if schedules is None:
        return None
    if (
        not isinstance(schedules, list | tuple)
        or len(schedules) != 2
        or not callable(schedules[0])
        or not _is_scheduler(schedules[1])
    ):
        what = (
            ", ".join(type(schedule).__name__ for schedule in schedules)
            if isinstance(schedules, list | tuple)
            else type(schedules).__name__
        )
        raise UsageError(
            f"schedules got {what}; expected (optax schedule, PyTorch scheduler), a function of the step and an "
            f"LRScheduler"
        )
    if steps < 1:
        raise UsageError(f"schedule_steps got {steps}; expected at least 1")
    if hasattr(schedules[1], "patience"):
        raise UsageError(
            f"schedules got a {type(schedules[1]).__name__}, which follows a metric; optax's follow the step"
        )
    if optimizers is not None and schedules[1].optimizer is not optimizers[1]:
        raise UsageError("the scheduler in schedules is not that of the PyTorch optimizer in optimizers; make it of it")
    return Schedules(schedules[0], schedules[1], steps)


def _is_scheduler(schedule: Any) -> bool:
    return hasattr(schedule, "optimizer") and hasattr(schedule, "step")


def learning_rates(sides: SidePair, schedules: Schedules) -> Finding:
    """The finding on the learning rates of all steps together.

    A rate that has come down to rounding's own zero is not judged by itself. The finding's index is the step, from 0,
    at which the rates differ most.
    """
    with sides.watch.running("the schedules"):
        flax, torch = (
            {p: side.rates(schedule, schedules.steps, p) for p in PRECISIONS}
            for side, schedule in ((sides.flax, schedules.flax), (sides.torch, schedules.torch))
        )
    high, low = ((flax[p], torch[p]) for p in PRECISIONS)
    finding = compare("schedule", "learning rate", *high, low[1], low[0])
    return replace(finding, reason=_apart(*high)) if finding.verdict is Verdict.DIFFERENT else finding


def _apart(flax: NDArray, torch: NDArray) -> str:
    """The first step at which two schedules give other rates, and these."""
    with np.errstate(all="ignore"):
        step = int(np.argmax(~(np.abs(flax - torch) <= AGREED * np.maximum(np.abs(flax), np.abs(torch)).max())))
    return f"first at step {step}, {flax[step]:.6g} in Flax and {torch[step]:.6g} in PyTorch (steps count from 0)"
