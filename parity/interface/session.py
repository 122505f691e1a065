"""A training run in progress: what every backend does between two looks at it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.data import Batch
from parity.errors import UsageError
from parity.interface.trace import Arrays
from parity.interface.twin import Twin, require_rates
from parity.recipes import Optimizer
from parity.weights import mismatches, parameters

T = TypeVar("T", bound=Twin)


@dataclass(frozen=True)
class TrainingState:
    """All that a run goes on from, in no framework's form.

    Args:
        weights: parameters and buffers by canonical name, in canonical layouts.
        moments: PyTorch's name of the optimizer's moment ("exp_avg") → name of the parameter → array of its shape.
        step: optimizer steps so far.
    """

    weights: Arrays
    moments: dict[str, Arrays]
    step: int


@dataclass(frozen=True)
class Steps:
    """What some training steps gave, still on the device until it is asked for.

    Args:
        samples: examples in each step.
        fetch: waits for the device and gives the mean loss of each step and its correct predictions.
    """

    samples: Sequence[int]
    fetch: Callable[[], tuple[NDArray, NDArray]]


@dataclass(frozen=True)
class Score:
    """Mean loss and share of correct predictions over some examples, each counted once."""

    loss: float
    accuracy: float
    samples: int


class Session(ABC, Generic[T]):
    """A training run of a twin, on weights of its own; made by `Twin.session`.

    Weights and moments stay on the device. Nothing waits for the device but `Steps.fetch`, `evaluate` and `state`.

    Args:
        twin: whose network, precision and device it is; it stays as it is.
        optimizer: the recipe's.
    """

    def __init__(self, twin: T, optimizer: Optimizer) -> None:
        self.twin = twin
        self.optimizer = optimizer
        self.step = 0
        self.steps_per_call = 1
        """Steps that one call of the framework's program takes, where there are as many to take."""

    def load(self, state: TrainingState) -> None:
        """Go on from a state, whichever framework it comes from.

        Raises:
            UsageError: the weights are not those of the network, or the moments not those of the optimizer.
        """
        self.twin.require(state.weights)
        if extra := sorted(state.moments.keys() - {*self.optimizer.moments}):
            raise UsageError(f"{self.optimizer.kind} keeps no {', '.join(extra)}; it is the state of another optimizer")
        shapes = {name: array.shape for name, array in parameters(state.weights).items()}
        for moment in self.optimizer.moments:
            got = {name: array.shape for name, array in state.moments.get(moment, {}).items()}
            if faults := mismatches(got, shapes):
                raise UsageError(f"the optimizer's {moment} does not fit: {'; '.join(faults)}")
        with self.twin.setting():
            self._load(state)
        self.step = state.step

    def advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        """One optimizer step a batch, in order; returns before the device is done where the framework can.

        Raises:
            ValueError: not one learning rate a batch.
        """
        require_rates(len(batches), learning_rates)
        with self._computing():
            steps = self._advance(batches, learning_rates)
        self.step += len(batches)
        return steps

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them, in order; read back, inputs as float32."""
        return [batch]

    def told_by_all(self, text: str) -> list[str]:
        """What every process that trains together says here, in their order."""
        return [text]

    def observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        """One optimizer step; its mean loss, and the gradients as the optimizer gets them, before they are clipped."""
        with self._computing():
            loss, gradients = self._observed(batch, learning_rate)
        self.step += 1
        return loss, gradients

    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Score the present weights in evaluation mode; each example counts once, whatever the sizes of the batches."""
        with self._computing():
            scored = [(len(batch.labels), *self._score(batch)) for batch in batches]
            sizes, losses, hits = (np.array([float(part[i]) for part in scored]) for i in range(3))
        total = sizes.sum()
        return Score(float(losses @ sizes / total), float(hits.sum() / total), int(total))

    def predict(self, inputs: Iterable[NDArray]) -> list[NDArray]:
        """Logits of each array of inputs in evaluation mode, with the present weights."""
        with self._computing():
            return [np.asarray(logits) for logits in self._predict(inputs)]

    def wait(self) -> None:
        """Return when all that the steps so far change is there; only a clock has to know."""

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """The twin's setting, and no warning of NumPy's: a number that overflows shows in the loss."""
        with self.twin.setting(), np.errstate(all="ignore"):
            yield

    def state(self) -> TrainingState:
        """A copy of all that the run goes on from."""
        with self.twin.setting():
            return self._state()

    @abstractmethod
    def _load(self, state: TrainingState) -> None: ...

    @abstractmethod
    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps: ...

    @abstractmethod
    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]: ...

    @abstractmethod
    def _score(self, batch: Batch) -> tuple[Any, Any]:
        """Mean loss of a batch and its correct predictions, as scalars that may still be on the device."""

    @abstractmethod
    def _predict(self, inputs: Iterable[NDArray]) -> list[Any]:
        """Logits, which may still be on the device."""

    @abstractmethod
    def _state(self) -> TrainingState: ...
