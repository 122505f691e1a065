"""A training run in progress: what every backend does between two looks at it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.data import Batch, Inputs
from parity.errors import UsageError
from parity.interface.network import Network
from parity.interface.runs import Score, Steps, TrainingState, require_rates
from parity.interface.trace import Arrays
from parity.recipes import Optimizer
from parity.weights import mismatches, parameters

N = TypeVar("N", bound=Network)


class Session(ABC, Generic[N]):
    """A training run of a network, on weights of its own; `Twin.session` makes it, of that twin.

    Weights and moments stay on the device. Nothing waits for the device but `Steps.fetch`, `observed`, `evaluate`,
    `predict`, `state` and `wait`.

    Args:
        network: what is trained, at which precision and where; it stays as it is.
        optimizer: the recipe's optimizer.
    """

    def __init__(self, network: N, optimizer: Optimizer) -> None:
        self.network = network
        self.optimizer = optimizer
        self.step = 0
        self.steps_per_call = 1
        """Steps that one call of the framework's program takes, where there are as many to take."""

    def load(self, state: TrainingState) -> None:
        """Go on from a state, whichever framework it comes from.

        Raises:
            UsageError: the weights are not those of the network, or the moments not those of the optimizer.
        """
        self.network.require(state.weights)
        self._require_moments(state)
        with self.network.setting():
            self._load(state)
        self.step = state.step

    def _require_moments(self, state: TrainingState) -> None:
        if extra := sorted(state.moments.keys() - {*self.optimizer.moments}):
            raise UsageError(f"{self.optimizer.kind} keeps no {', '.join(extra)}; it is the state of another optimizer")
        shapes = {name: array.shape for name, array in parameters(state.weights).items()}
        for moment in self.optimizer.moments:
            got = {name: array.shape for name, array in state.moments.get(moment, {}).items()}
            if faults := mismatches(got, shapes):
                raise UsageError(f"the optimizer's {moment} does not fit: {'; '.join(faults)}")

    def advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        """Take one optimizer step a batch, in order; returns before the device is done where the framework can.

        Args:
            batches: the global batches, whole on every process.
            learning_rates: one learning rate a batch.

        Raises:
            ValueError: not one learning rate a batch.
        """
        require_rates(len(batches), learning_rates)
        with self._computing():
            steps = self._advance(batches, learning_rates)
        self.step += len(batches)
        return steps

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them, read back.

        Args:
            batch: A global batch, inputs (B, …) and labels (B,).

        Returns:
            One batch for each device, in the devices' order, with float32 inputs.
        """
        return [batch]

    def told_by_all(self, text: str) -> list[str]:
        """The texts that the processes which train together pass here, in the order of their ranks.

        Every process has to call it, as each waits for all others.
        """
        return [text]

    def observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        """Take one optimizer step, and wait for what it computed.

        Returns:
            the mean loss, a scalar array, and the gradients by canonical name as the optimizer gets them, before they
            are clipped.
        """
        with self._computing():
            loss, gradients = self._observed(batch, learning_rate)
        self.step += 1
        return loss, gradients

    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Score the present weights in evaluation mode; each label but −100 counts once, in whatever batch.

        Args:
            batches: Inputs (B, …) and labels (B,) each; B may differ.
        """
        with self._computing():
            scored = [(batch.count, *self._score(batch)) for batch in batches]
            sizes, losses, hits = (np.array([float(part[i]) for part in scored]) for i in range(3))
        total = sizes.sum()
        return Score(float(losses @ sizes / total), float(hits.sum() / total), int(total))

    def predict(self, inputs: Iterable[Inputs]) -> list[NDArray]:
        """Logits in evaluation mode, with the present weights.

        Args:
            inputs: Arrays (B, …), or a tuple of them for each argument; B may differ.

        Returns:
            Logits (B, classes) of each, at the network's precision.
        """
        with self._computing():
            return [np.asarray(logits) for logits in self._predict(inputs)]

    def wait(self) -> None:
        """Return when the device has done all the steps so far; only a clock has to know."""

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """The network's setting, and no warning of NumPy's: a number that overflows shows in the loss."""
        with self.network.setting(), np.errstate(all="ignore"):
            yield

    def state(self) -> TrainingState:
        """A copy of all that the run goes on from."""
        with self.network.setting():
            return self._state()

    @abstractmethod
    def _load(self, state: TrainingState) -> None: ...

    @abstractmethod
    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps: ...

    @abstractmethod
    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]: ...

    @abstractmethod
    def _score(self, batch: Batch) -> tuple[Any, Any]:
        """Mean loss of a batch and its number of correct predictions, scalars that may still be on the device."""

    @abstractmethod
    def _predict(self, inputs: Iterable[Inputs]) -> list[Any]:
        """Logits of each array of inputs, which may still be on the device."""

    @abstractmethod
    def _state(self) -> TrainingState: ...
