"""Training by the reference networks, in float64."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.backends.numpy.network import NumpyNetwork, clipped, rule_of
from parity.data import Batch, Inputs
from parity.interface.runs import Steps, TrainingState
from parity.interface.session import Session
from parity.interface.trace import Arrays
from parity.recipes import Optimizer
from parity.reference import Run, State
from parity.weights import parameters


class NumpySession(Session[NumpyNetwork]):
    """A training run of the reference, in float64."""

    def __init__(self, network: NumpyNetwork, optimizer: Optimizer) -> None:
        super().__init__(network, optimizer)
        self._rule = rule_of(optimizer)
        self._weights = network.weights()
        self._kept = self._rule.init(parameters(self._weights))

    def _load(self, state: TrainingState) -> None:
        self._weights = {name: np.array(state.weights[name], np.float64) for name in self.network.shapes()}
        moments = {
            moment: {name: np.array(array, np.float64) for name, array in arrays.items()}
            for moment, arrays in state.moments.items()
        }
        self._kept = State(dict.fromkeys(self._kept.step, state.step), moments)

    def _state(self) -> TrainingState:
        return TrainingState(dict(self._weights), dict(self._kept.moments), self.step)

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        steps = [self._step(batch, rate)[:2] for batch, rate in zip(batches, learning_rates, strict=True)]
        losses, hits = (np.array([step[i] for step in steps]) for i in (0, 1))
        return Steps([batch.count for batch in batches], lambda: (losses, hits))

    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        loss, _, gradients = self._step(batch, learning_rate)
        return np.asarray(loss), gradients

    def _step(self, batch: Batch, learning_rate: float) -> tuple[float, int, Arrays]:
        """Take one step: its mean loss, its number of correct predictions, and its gradients by canonical name."""
        model = self.network.model
        run: Run = model.forward(self._weights, batch.inputs, training=True)
        loss, to_logits = model.loss(run.logits, batch.labels)
        gradients = model.backward(run, to_logits).parameters
        values, self._kept = self._rule.update(
            parameters(self._weights), clipped(gradients, self.optimizer), self._kept, learning_rate
        )
        self._weights = {**self._weights, **values, **run.buffers}
        return loss, _hits(run.logits, batch.labels), gradients

    def _predict(self, inputs: Iterable[Inputs]) -> list[NDArray]:
        return [self.network.model.forward(self._weights, x, training=False).logits for x in inputs]

    def _score(self, batch: Batch) -> tuple[float, int]:
        (logits,) = self._predict([batch.inputs])
        return self.network.model.loss(logits, batch.labels)[0], _hits(logits, batch.labels)


def _hits(logits: NDArray, labels: NDArray) -> int:
    """The number of correct predictions; 0 where labels are no classes."""
    return int((logits.argmax(-1) == labels).sum()) if labels.dtype.kind == "i" else 0
