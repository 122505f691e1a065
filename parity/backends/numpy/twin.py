"""The reference networks as a third twin, beside those of Flax and PyTorch; float64 only."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.backends.numpy.network import NumpyNetwork, clipped, rule_of
from parity.backends.numpy.session import NumpySession
from parity.data import Batch, Inputs
from parity.interface.trace import Arrays, Gradients, Probe, Reading, Trace
from parity.interface.twin import Twin
from parity.recipes import Optimizer
from parity.weights import buffers, layer_of


class NumpyTwin(NumpyNetwork, Twin):
    """A network written by hand in NumPy, as the checks see it; all arrays are float64."""

    def forward(self, inputs: Inputs, *, training: bool) -> NDArray:
        """Logits (B, classes)."""
        return self.model.forward(self._weights, inputs, training=training).logits

    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients."""
        run = self.model.forward(self._weights, batch.inputs, training=training)
        loss, to_logits = self.model.loss(run.logits, batch.labels)
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
        """Each call alone, on its probe."""
        return {call: self._isolated(call, probe, training) for call, probe in probes.items()}

    def _isolated(self, call: str, probe: Probe, training: bool) -> Reading:
        output, to_input, to_parameters = self.model.isolate(
            self._weights, call, probe.input, probe.cotangent, training=training
        )
        path, layers = call.partition("[")[0], self.model.by_path
        return Reading(output, to_input, {n: g for n, g in to_parameters.items() if layer_of(n, layers)[0] == path})

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
        rule, values = rule_of(optimizer), {name: np.asarray(array, np.float64) for name, array in parameters.items()}
        state, steps = rule.init(values), []
        for gradient, learning_rate in zip(gradients, learning_rates, strict=True):
            values, state = rule.update(values, clipped(gradient, optimizer), state, learning_rate)
            kept = {"parameter": values, **state.moments}
            steps.append({f"{kind}.{name}": a for kind, arrays in kept.items() for name, a in arrays.items()})
        return steps

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> NumpySession:
        """Begin a training run."""
        return NumpySession(self, optimizer)

    def receive(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch
