"""The reference networks as a third twin; float64 only."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.data import Batch
from parity.errors import UsageError
from parity.interface import random as initial
from parity.interface.session import Session, Steps, TrainingState
from parity.interface.trace import Arrays, Gradients, Precision, Probe, Reading, Trace
from parity.interface.twin import Config, Twin
from parity.recipes import Optimizer
from parity.reference import (
    NETWORKS,
    SGD,
    Adam,
    Network,
    RMSprop,
    Run,
    State,
    clip_by_global_norm,
    softmax_cross_entropy,
)
from parity.reference import Optimizer as Rule
from parity.weights import buffers, parameters


class NumpyTwin(Twin):
    """A network written by hand in NumPy."""

    framework = "numpy"

    def __init__(self, model: Network, *, precision: Precision = "float64", device: str = "cpu") -> None:
        if precision != "float64" or device != "cpu":
            raise UsageError(f"the NumPy reference was asked for {precision} on {device}; it has float64 on cpu only")
        super().__init__(model, precision=precision, device=device)
        self._weights: Arrays = initial.draw(model.shapes(), "default", 0)

    @classmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> Network:
        """Construct the reference network, which holds no weights of its own."""
        return NETWORKS[network](**config)

    @classmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: initial.Scheme) -> Arrays:  # type: ignore[override] # a narrower str
        """Weights from the documented distribution itself, one draw a seed."""
        shapes = NETWORKS[network](**config).shapes()
        draws = [initial.draw(shapes, init, seed) for seed in seeds]
        return {name: np.stack([draw[name] for draw in draws]) for name in shapes}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return self.model.shapes()

    def weights(self) -> Arrays:
        """Copies of all parameters and buffers."""
        return {name: array.copy() for name, array in self._weights.items()}

    def _load(self, weights: Mapping[str, NDArray]) -> None:
        self._weights = {name: np.array(weights[name], np.float64) for name in self.shapes()}

    def forward(self, inputs: NDArray, *, training: bool) -> NDArray:
        """Logits."""
        return self.model.forward(self._weights, inputs, training=training).logits

    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients."""
        run = self.model.forward(self._weights, batch.inputs, training=training)
        loss, to_logits = softmax_cross_entropy(run.logits, batch.labels)
        pulled = self.model.backward(run, cotangent)
        return Trace(
            outputs=run.outputs,
            inputs=run.inputs,
            gradients=Gradients(pulled.parameters, pulled.input, pulled.outputs),
            loss=np.asarray(loss),
            training_gradients=self.model.backward(run, to_logits).parameters if training else {},
            buffers=dict(run.buffers),
        )

    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone."""
        return {call: self._isolated(call, probe, training) for call, probe in probes.items()}

    def _isolated(self, call: str, probe: Probe, training: bool) -> Reading:
        output, to_input, to_parameters = self.model.isolate(
            self._weights, call, probe.input, probe.cotangent, training=training
        )
        path = call.partition("[")[0]
        own = {name: g for name, g in to_parameters.items() if name.rpartition(".")[0] == path}
        return Reading(output, to_input, own)

    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last in evaluation mode."""
        weights = self.weights()
        for batch in batches:
            weights |= self.model.forward(weights, batch.inputs, training=True).buffers
        return buffers(weights), self.model.forward(weights, batches[-1].inputs, training=False).logits

    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        rule, values = _rule(optimizer), {name: np.asarray(array, np.float64) for name, array in parameters.items()}
        state, seen = rule.init(values), []
        for given, learning_rate in zip(gradients, learning_rates, strict=True):
            values, state = rule.update(values, _clipped(given, optimizer), state, learning_rate)
            found = {"parameter": values, **state.moments}
            seen.append({f"{kind}.{name}": a for kind, arrays in found.items() for name, a in arrays.items()})
        return seen

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> "NumpySession":
        """Begin a training run."""
        return NumpySession(self, optimizer)

    def receive(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


class NumpySession(Session[NumpyTwin]):
    """A training run of the reference, in float64."""

    def __init__(self, twin: NumpyTwin, optimizer: Optimizer) -> None:
        super().__init__(twin, optimizer)
        self._rule = _rule(optimizer)
        self._weights = twin.weights()
        self._kept = self._rule.init(parameters(self._weights))

    def _load(self, state: TrainingState) -> None:
        self._weights = {name: np.array(state.weights[name], np.float64) for name in self.twin.shapes()}
        moments = {
            moment: {name: np.array(array, np.float64) for name, array in arrays.items()}
            for moment, arrays in state.moments.items()
        }
        self._kept = State(dict.fromkeys(self._kept.step, state.step), moments)

    def _state(self) -> TrainingState:
        return TrainingState(dict(self._weights), dict(self._kept.moments), self.step)

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        seen = [self._step(batch, rate)[:2] for batch, rate in zip(batches, learning_rates, strict=True)]
        losses, hits = (np.array([step[i] for step in seen]) for i in (0, 1))
        return Steps([len(batch.labels) for batch in batches], lambda: (losses, hits))

    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        loss, _, gradients = self._step(batch, learning_rate)
        return np.asarray(loss), gradients

    def _step(self, batch: Batch, learning_rate: float) -> tuple[float, int, Arrays]:
        """One step: loss, correct predictions, gradients."""
        model = self.twin.model
        run: Run = model.forward(self._weights, batch.inputs, training=True)
        loss, to_logits = softmax_cross_entropy(run.logits, batch.labels)
        gradients = model.backward(run, to_logits).parameters
        clipped = _clipped(gradients, self.optimizer)
        values, self._kept = self._rule.update(parameters(self._weights), clipped, self._kept, learning_rate)
        self._weights = {**self._weights, **values, **run.buffers}
        return loss, _hits(run.logits, batch.labels), gradients

    def _predict(self, inputs: Iterable[NDArray]) -> list[NDArray]:
        return [self.twin.model.forward(self._weights, x, training=False).logits for x in inputs]

    def _score(self, batch: Batch) -> tuple[float, int]:
        (logits,) = self._predict([batch.inputs])
        return softmax_cross_entropy(logits, batch.labels)[0], _hits(logits, batch.labels)


def _hits(logits: NDArray, labels: NDArray) -> int:
    return int((logits.argmax(-1) == labels).sum())


def _clipped(gradients: Mapping[str, NDArray], spec: Optimizer) -> Mapping[str, NDArray]:
    return gradients if spec.clip_norm is None else clip_by_global_norm(gradients, spec.clip_norm)


def _rule(spec: Optimizer) -> Rule:
    if spec.kind == "adam":
        return Adam(betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay)
    if spec.kind == "rmsprop":
        return RMSprop(alpha=spec.alpha, eps=spec.eps)
    return SGD(momentum=spec.momentum)
