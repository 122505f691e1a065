"""The loop: every sample is evaluated once, nothing waits for the device within a log interval, speed is told."""

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.backends import Steps, TrainingState
from parity.data import Batch, open_stream
from parity.interface import random as initial
from parity.training.journal import Journal
from parity.training.loop import Loop
from parity.training.plan import open_training
from parity.training.run import last_training
from tests.backends.small import close
from tests.training.small import BACKENDS, RECIPES, Silent, plan, train, twin

SIZES = {("points", "test"): 200, ("points", "train"): 800, ("vgg", "train"): 27}


@pytest.mark.parametrize("framework", BACKENDS)
@pytest.mark.parametrize(("kind", "split"), SIZES)
def test_every_sample_is_scored_once_whatever_the_sizes_of_the_batches(framework, kind, split) -> None:
    session, data = twin(framework, kind).session(RECIPES[kind].optimizer), RECIPES[kind].data
    streams = [open_stream(data, split=split, batch_size=size, seed=3, augment=False) for size in (1000, 300, 23)]
    whole, *parted = [session.evaluate(stream.passes()) for stream in streams]
    assert streams[0].steps_per_epoch == 1 and whole.samples == SIZES[kind, split]
    for score in parted:
        assert (score.samples, score.accuracy) == (whole.samples, whole.accuracy)
        assert close(np.array([score.loss]), np.array([whole.loss]))


@pytest.mark.parametrize("framework", BACKENDS)
def test_a_score_is_that_of_the_logits(framework) -> None:
    own = twin(framework, "vgg")
    batch = next(open_stream("digits", split="train", batch_size=27, seed=3, augment=False).passes())
    score = own.session(RECIPES["vgg"].optimizer).evaluate([batch])
    logits = own.forward(batch.inputs, training=False)
    loss = np.log(np.exp(logits).sum(1)) - logits[np.arange(27), batch.labels]
    assert score.accuracy == (logits.argmax(1) == batch.labels).mean() and close(
        np.array([score.loss]), np.array([loss.mean()])
    )


class Counting:
    """A session without a network that notes when it is asked for what."""

    def __init__(self) -> None:
        self.step, self.seen = 0, list[Any]()
        self.threads: set[threading.Thread] = set()
        self.network = None

    def advance(self, batches, learning_rates) -> Steps:
        self.step += len(batches)
        self.seen.append(len(batches))
        self.threads |= {batch.thread for batch in batches}
        count = len(batches)
        return Steps([10] * count, partial(self.fetch, count))

    def fetch(self, count: int) -> tuple[NDArray, NDArray]:
        self.seen.append("fetch")
        return np.ones(count), np.full(count, 5)

    def state(self) -> TrainingState:
        self.seen.append("state")
        return TrainingState({}, {}, self.step)


class Noting:
    """A stream whose batches know which thread made them."""

    def batch(self, epoch: int, step: int) -> Any:
        found = Batch(np.zeros((10, 2), np.float32), np.zeros(10, np.int64))
        object.__setattr__(found, "thread", threading.current_thread())
        return found


def test_the_device_is_waited_for_at_the_stops_only() -> None:
    session, made = Counting(), plan("points", steps=130, evaluate_every=100, checkpoint_every=130)
    made = replace(made, log_every=100)
    loop = Loop(made, session, Noting(), {}, Journal(None, []), Silent())  # type: ignore[arg-type] # stand-ins
    loop.run()
    assert session.seen == ["state", 32, 32, 32, 4, *["fetch"] * 4, 30, "fetch", "state"]
    assert threading.main_thread() not in session.threads and len(session.threads) == 1


def test_a_line_sums_up_all_steps_since_the_last_one() -> None:
    made = replace(plan("points", steps=9, evaluate_every=9, checkpoint_every=9), log_every=4)
    journal = Journal(None, [])
    Loop(made, Counting(), Noting(), {}, journal, Silent()).run()  # type: ignore[arg-type] # stand-ins
    assert [(line["step"], line["samples"], line["loss"], line["accuracy"]) for line in journal.lines] == [
        (4, 40, 1.0, 0.5),
        (8, 40, 1.0, 0.5),
        (9, 10, 1.0, 0.5),
    ]
    seconds = [line["seconds"] for line in journal.lines]
    assert seconds == sorted(seconds) and all(line["samples_per_second"] > 0 for line in journal.lines)


@pytest.mark.parametrize("kind", RECIPES)
def test_losses_are_means_over_samples_not_over_batches(kind, whole) -> None:
    """The uneven last batch of an epoch counts by its size."""
    _, outcome = whole("numpy", kind)
    made, session = plan(kind), twin("numpy", kind).session(RECIPES[kind].optimizer)
    weights = initial.draw(session.network.shapes(), made.recipe.init, made.seed)
    session.load(TrainingState(weights, session.state().moments, 0))
    stream = open_training(made.recipe, made.data, made.seed)
    batches = [stream.batch(*made.position(step)) for step in range(3)]
    losses, hits = session.advance(batches, [made.recipe.optimizer.learning_rate] * 3).fetch()
    sizes = [len(batch.labels) for batch in batches]
    first = outcome.lines[0]
    assert first["step"] == 3 and first["samples"] == sum(sizes)
    assert close(np.array([first["loss"]]), np.array([losses @ sizes / sum(sizes)]))
    assert first["accuracy"] == hits.sum() / sum(sizes)


def test_the_summary_takes_the_training_since_the_last_evaluation_but_one() -> None:
    outcome = train("numpy", plan("points"), None)  # evaluated after 5, 10, 15 and, at its end, 17 steps
    recent = [line for line in outcome.lines if line["kind"] == "train" and line["step"] > 15]
    found = last_training(plan("points"), outcome.lines)
    assert found is not None and [line["step"] for line in recent] == [17]
    assert (found["loss"], found["samples"]) == (recent[0]["loss"], 600)
    assert outcome.summary["test"]["accuracy"] == outcome.lines[-1]["accuracy"]
