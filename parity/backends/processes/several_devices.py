"""Training runs that are watched on several devices, in processes of their own, for the check."""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from parity.backends.processes import launcher
from parity.backends.processes.members import joined
from parity.data import Batch
from parity.errors import UsageError
from parity.interface.devices import Devices
from parity.interface.trace import Arrays, WatchedRun
from parity.interface.twin import Twin
from parity.recipes import Recipe

T = TypeVar("T")
TIMEOUT = 600.0
"""Seconds that a device waits for another, which may still compile."""


@dataclass(frozen=True)
class Job:
    """A training run in float64 that other processes do; it is pickled.

    Args:
        make: gives the twin's class; a function of a module, or a `partial` of one.
        recipe: what is trained, and with which optimizer.
        weights: what training starts from, by canonical name.
        batches, learning_rates: the global batches, and one learning rate a batch.
        devices: how many train together, and what BatchNorm sees of a batch.
        device: "cpu" or "gpu".
    """

    make: Callable[[], type[Twin]]
    recipe: Recipe
    weights: Arrays
    batches: Sequence[Batch]
    learning_rates: Sequence[float]
    devices: Devices
    device: str = "cpu"


def watched(framework: str, job: Job) -> WatchedRun:
    """Run the job, in one process a device for PyTorch, in a single one for JAX.

    Raises:
        UsageError: a process failed; its own words are told.
    """
    return together(_member, job, job.devices.count if framework == "torch" else 1)


def together(member: Callable[[T], Any], job: T, processes: int) -> Any:
    """Run a function in processes that are launched together, each with the same job; the first one's result.

    Raises:
        UsageError: a process failed; its own words are told.
    """
    multiprocessing.set_forkserver_preload(["parity.backends.torch.twin"])
    try:
        return launcher.together(member, [job], processes)[0]
    except ChildFailedError as error:
        raise UsageError(f"one of {processes} processes that were launched failed: {_words(error)}") from error


def _member(job: Job) -> WatchedRun | None:
    """Do one process's part; the run where it is the first process, else None."""
    cls, recipe = job.make(), job.recipe
    with joined(cls.framework, job.devices.count, job.device, TIMEOUT) as member:
        twin = cls(cls.build(recipe.network, recipe.config, init=recipe.init), precision="float64", device=job.device)
        twin.load(job.weights)
        twin.devices = job.devices
        run = twin.watched(job.batches, recipe.optimizer, job.learning_rates)
        return run if member.leads else None


def _words(error: ChildFailedError) -> str:
    """The last line of what the first process said that failed."""
    failure = min(error.failures.values(), key=lambda failure: failure.timestamp)
    message: Any = failure.message
    text = message.get("message", message) if isinstance(message, dict) else message
    return str(text).strip().splitlines()[-1]
