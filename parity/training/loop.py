"""The training loop, one for all frameworks."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from parity.backends import Session, Steps, TrainingState
from parity.data import Batch, Stream
from parity.interface.frameworks import backend_of
from parity.training import checkpoint
from parity.training.diverged import DivergedError, NotFiniteError, first_fault
from parity.training.journal import Journal, Line
from parity.training.plan import Plan
from parity.training.prefetch import ahead


class Watcher(Protocol):
    """An observer of a run, called with each line of its metrics."""

    def trained(self, line: Line) -> None:
        """A line of the training's metrics."""

    def evaluated(self, line: Line) -> None:
        """A line of an evaluation."""


class Silent:
    """A watcher that shows nothing."""

    def trained(self, line: Line) -> None:
        """A line of the training's metrics."""

    def evaluated(self, line: Line) -> None:
        """A line of an evaluation."""


@dataclass
class Loop:
    """A training run that is going on.

    Args:
        plan: steps, cadences and optimizer of the run.
        session: the framework's part, which holds the state that the run goes on from.
        batches: the stream of training batches.
        splits: name of a split → the stream that is evaluated.
        journal: file of its metrics.
        watcher: observer that is called with each line of the metrics.
        folder: folder of its checkpoints; None keeps none.
        seconds: seconds that training has taken so far.
        pulse: called whenever some work is done, so that a run that stands still can be recognised.
    """

    plan: Plan
    session: Session[Any]
    batches: Stream
    splits: Mapping[str, Stream]
    journal: Journal
    watcher: Watcher
    folder: Path | None = None
    seconds: float = 0.0
    pulse: Callable[[], None] | None = None
    _seen: list[Steps] = field(default_factory=list)
    _good: TrainingState = field(init=False)

    def __post_init__(self) -> None:
        self._good = self.session.state()

    def run(self) -> None:
        """Train from the session's step to the end of the plan.

        Raises:
            DivergedError: the loss or a weight is not finite; the checkpoints before it stay.
            UsageError: something could not be written; the checkpoints before it stay.
        """
        if self.folder is not None and not checkpoint.file_of(self.folder, self.session.step).exists():
            self._write(self._good)  # so that the run can be resumed whenever it is killed
        try:
            with closing(ahead(self._take, self.plan.chunks(self.session.step))) as prepared:
                self._train(prepared)
        except NotFiniteError as error:  # explained only now, when no other thread takes batches
            raise self._diverged(error) from error

    def _train(self, prepared: Iterable[list[Batch]]) -> None:
        rate = self.plan.recipe.optimizer.learning_rate
        started = time.perf_counter()
        for batches in prepared:
            self._seen.append(self.session.advance(batches, [rate] * len(batches)))
            self._done()
            if self.session.step == self.plan.next_stop(self.session.step - 1):
                started = self._stop(started)

    def _done(self) -> None:
        if self.pulse is not None:
            self.session.wait()
            self.pulse()

    def _passes(self, stream: Stream) -> Iterator[Batch]:
        for batch in stream.passes():
            yield batch
            if self.pulse is not None:
                self.pulse()

    def _retake(self, steps: range) -> list[Batch]:
        self._done()
        return self._take(steps)

    def _take(self, steps: range) -> list[Batch]:
        return [self.batches.batch(*self.plan.position(step)) for step in steps]

    def _stop(self, started: float) -> float:
        """Log, evaluate and keep what is due after this step; return the time at which training goes on."""
        step, plan = self.session.step, self.plan
        self._log(started)
        if plan.due(step, plan.evaluate_every):
            self._evaluate()
        if plan.due(step, plan.checkpoint_every):
            self._keep()
        return time.perf_counter()

    def _log(self, started: float) -> None:
        parts, samples = [steps.fetch() for steps in self._seen], [n for steps in self._seen for n in steps.samples]
        seconds = time.perf_counter() - started
        self.seconds += seconds
        losses, hits = (np.concatenate([part[i] for part in parts]).astype(np.float64) for i in (0, 1))
        first = self.session.step - len(losses)
        self._seen.clear()
        if not np.isfinite(losses).all():
            raise NotFiniteError("the loss", first + int(np.flatnonzero(~np.isfinite(losses))[0]) + 1)
        line = {
            "kind": "train",
            "step": self.session.step,
            "epoch": self._epochs(),
            "loss": float(losses @ samples / sum(samples)),
            "accuracy": float(hits.sum() / sum(samples)),
            "samples": sum(samples),
            "samples_per_second": sum(samples) / seconds,
            "seconds": self.seconds,
        }
        self.journal.append(line)
        self.watcher.trained(line)

    def _epochs(self) -> float | None:
        per_epoch = self.plan.steps_per_epoch
        return None if per_epoch is None else self.session.step / per_epoch

    def _evaluate(self) -> None:
        final = self.session.step == self.plan.steps
        for split, stream in self.splits.items():
            if (final and split != "train") or split in self.plan.recipe.evaluate_on:
                score = self.session.evaluate(self._passes(stream))
                if not np.isfinite(score.loss):
                    raise NotFiniteError(f"the loss on {split}", self.session.step)
                line = {"kind": "evaluation", "step": self.session.step, "epoch": self._epochs(), "split": split}
                line |= {"loss": score.loss, "accuracy": score.accuracy, "samples": score.samples}
                self.journal.append(line)
                self.watcher.evaluated(line)

    def _keep(self) -> None:
        state = self.session.state()
        if not all(np.isfinite(array).all() for array in state.weights.values()):
            raise NotFiniteError("a weight", state.step)
        self._good = state
        self._write(state)

    def _write(self, state: TrainingState) -> None:
        if self.folder is not None:
            self.journal.sync()
            checkpoint.save(self.plan, backend_of(self.session.network.framework), state, self.folder)

    def _diverged(self, error: NotFiniteError) -> DivergedError:
        fault = first_fault(self.session, self._good, error.step, self._retake)
        fault = fault or f"after step {error.step} {error.what} is not finite, though all weights are"
        kept = "" if self.folder is None else f"; the last good checkpoint is that of step {self._good.step}"
        return DivergedError(f"training diverged: {fault}{kept}; begin anew with a smaller --learning-rate")
