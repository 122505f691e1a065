"""Workloads small enough for tests, and what the gate compares."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants import Entry, workload
from benchmarks.contestants.base import Contestant
from benchmarks.contestants.workload import Workload
from parity.backends.torch.twin import TorchTwin
from parity.data import Batch
from parity.interface.trace import Arrays, Trajectory
from parity.recipes import Optimizer

STEPS = 4
"""One more than the case has batches."""


def _cut(name: str, batch: int, **config: object) -> Workload:
    found = workload.load(name)
    return replace(found, recipe=replace(found.recipe, config=config, batch_size=batch))


WORKLOADS = {
    "points": workload.load("points"),
    "rnn-5": workload.load("rnn-5"),
    "mlp": _cut("mlp", 8, sizes=(3072, 16, 10)),
    "vgg": _cut("vgg-32", 4, plan=(8, "M", 16), image_size=32),
}


def fitting(entry: Entry) -> list[str]:
    """The workloads that a contestant is fitting on: none if PyTorch's compiler takes longer than all the others."""
    fit = [key for key, found in WORKLOADS.items() if not entry.networks or found.recipe.network in entry.networks]
    return [] if entry.name == "torch-tuned" else fit


def run(contestant: Contestant, weights: Arrays, batches: Sequence[Batch]) -> Trajectory:
    """Logits, then some steps, in several calls where one call may be a step."""
    contestant.begin(weights, batches)
    logits = contestant.logits(batches[0].inputs)
    calls = (1, 1, STEPS - 2) if contestant.steps_per_call == 1 else (contestant.steps_per_call,)
    losses = [contestant.train(steps) for steps in calls]
    return _seen(np.average(losses, weights=calls), logits, contestant.weights())


def reference(found: Workload, steps: int, weights: Arrays, batches: Sequence[Batch], spec: Optimizer) -> Trajectory:
    """The same by the eager twin."""
    twin = TorchTwin(TorchTwin.build(found.recipe.network, found.recipe.config))
    twin.load(weights)
    logits, session = twin.forward(batches[0].inputs, training=False), twin.session(spec)
    losses, _ = session.advance(list(islice(cycle(batches), steps)), [spec.learning_rate] * steps).fetch()
    return _seen(losses.mean(), logits, session.state().weights)


def _seen(loss: float, logits: NDArray, weights: Arrays) -> Trajectory:
    return Trajectory(np.array([loss]), {**weights, "logits before": logits})
