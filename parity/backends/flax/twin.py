"""Flax NNX networks as the checks see them, through NumPy."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.training.graph import State, buffers_of, module_paths
from parity.backends.flax.training.network import FlaxNetwork
from parity.backends.flax.training.parallel import ParallelFlaxSession
from parity.backends.flax.training.session import FlaxSession
from parity.backends.flax.training.steps import moments_of
from parity.backends.flax.training.tape import TwinTape, taps
from parity.data import Batch, Inputs, as_arguments
from parity.interface.network import in_setting
from parity.interface.runs import require_rates
from parity.interface.trace import Arrays, Gradients, Probe, Reading, Trace, call_path
from parity.interface.twin import Twin
from parity.recipes import Optimizer
from parity.weights import layer_of


class FlaxTwin(FlaxNetwork, Twin):
    """A Flax NNX network with what the checks ask for."""

    @in_setting
    def forward(self, inputs: Inputs, *, training: bool) -> NDArray:
        """Logits (B, classes) by the jitted network."""
        logits, _ = self._checked(self.apply, training=training)(self._state, self.inputs(inputs))
        return np.array(logits)

    @in_setting
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients captured."""
        x, labels = self.inputs(batch.inputs), self.inputs(batch.labels)
        tape = TwinTape()
        like = jax.eval_shape(partial(self._taped, tape=tape, training=training), self._state, x)
        zeros = [jnp.zeros(output.shape, self.dtype) for output in like]
        program = self._checked(self._traced, training=training)
        captured = program(self._state, x, labels, self.inputs(cotangent), zeros)
        outputs, inputs, pulled, loss, training_gradients, buffers = jax.tree.map(np.asarray, captured)
        parameters, to_input, to_outputs = pulled
        return Trace(
            outputs=tape.named(outputs),
            inputs=tape.named(inputs),
            gradients=Gradients(self.canonical(parameters), to_input, tape.named(to_outputs)),
            loss=loss,
            training_gradients=self.canonical(training_gradients),
            buffers=self.canonical(buffers),
        )

    def _taped(self, state: State, x: Any, *, tape: TwinTape, training: bool) -> list[jax.Array]:
        model = self.graph.merged(state, training)
        with taps(model, tape):
            model(*as_arguments(x))
        return tape.outputs

    def _traced(
        self,
        state: State,
        x: Any,
        labels: jax.Array,
        cotangent: jax.Array,
        zeros: list[jax.Array],
        *,
        training: bool,
    ) -> tuple[Any, ...]:
        """Outputs and inputs of all calls, what the cotangent is pulled back to, loss, its gradients, and buffers.

        The gradient of a call's output is that of the zeros which are added to it.
        """
        learnable, buffers = self.graph.split(state)

        def forward(learnable: State, x: Any, perturbations: list[jax.Array]) -> tuple[jax.Array, Any]:
            model, tape = self.graph.merged({**learnable, **buffers}, training), TwinTape(perturbations)
            with taps(model, tape):
                logits = model(*as_arguments(x))
            return logits, (tape.outputs, tape.inputs, buffers_of(model))

        logits, pullback, (outputs, inputs, after) = jax.vjp(forward, learnable, x, zeros, has_aux=True)
        loss, to_logits = jax.value_and_grad(self.loss)(logits, labels)
        gradients = self.training_gradients(pullback(to_logits)[0]) if training else {}
        parameters, to_input, to_outputs = pullback(cotangent)
        return outputs, inputs, (parameters, floating(as_arguments(to_input)[0]), to_outputs), loss, gradients, after

    @in_setting
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone on its probe, all in one compiled program."""
        fed = {call: (self.inputs(probe.input), self.inputs(probe.cotangent)) for call, probe in probes.items()}
        arrays = jax.tree.map(np.asarray, self._checked(self._isolated, training=training)(self._state, fed))
        readings = {call: Reading(y, to_input, self.canonical(grads)) for call, (y, to_input, grads) in arrays.items()}
        return {call: readings[call] for call in probes}

    def _isolated(
        self, state: State, probes: dict[str, tuple[jax.Array, jax.Array]], *, training: bool
    ) -> dict[str, tuple[jax.Array, jax.Array, State]]:
        """Each call's output, the gradient of its input, and those of its module's own parameters."""
        learnable, buffers = self.graph.split(state)
        readings = {}
        for call, (x, cotangent) in probes.items():
            path = call_path(call)

            def alone(learnable: State, x: jax.Array, path: str = path) -> jax.Array:
                model = self.graph.merged({**learnable, **buffers}, training)
                return dict(module_paths(model).values())[path](x)

            output, pullback = jax.vjp(alone, learnable, x)
            to_parameters, to_input = pullback(cotangent)
            readings[call] = (
                output,
                floating(to_input),
                {n: gradient for n, gradient in to_parameters.items() if layer_of(n, self.graph.kinds)[0] == path},
            )
        return readings

    @in_setting
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last in evaluation mode."""
        state = self._state
        for batch in batches:
            x = self.inputs(batch.inputs)
            _, after = self._checked(self.apply, training=True)(state, x)
            state = {**state, **after}
        logits, _ = self._checked(self.apply, training=False)(state, x)
        return self.canonical(self.graph.split(state)[1]), np.array(logits)

    def _checked(self, function: Callable[..., Any], **static: Any) -> Any:
        """The compiled program of a function that the checks run a few times."""
        key = (function.__name__, *static.items())
        return self.program(key, partial(function, **static), compiler_options=run_once())

    @in_setting
    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        require_rates(len(gradients), learning_rates)
        step = jax.jit(
            lambda gradient, state, params, rate: self.optimizer(optimizer, rate).update(gradient, state, params),
            compiler_options=run_once(),
        )
        params = {name: self.inputs(array) for name, array in parameters.items()}
        state, steps = self.optimizer(optimizer, 0.0).init(params), []
        for gradient, rate in zip(gradients, self.rates(learning_rates), strict=True):
            updates, state = step({name: self.inputs(array) for name, array in gradient.items()}, state, params, rate)
            params = optax.apply_updates(params, updates)
            kept = {"parameter": params, **moments_of(optimizer, state)}
            steps.append({f"{kind}.{name}": np.array(a) for kind, arrays in kept.items() for name, a in arrays.items()})
        return steps

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> FlaxSession:
        """Begin a training run; the step is one compiled program that takes its state over."""
        return (ParallelFlaxSession if self.devices.count > 1 else FlaxSession)(self, optimizer, brief=brief)

    @in_setting
    def receive(self, batch: Batch) -> Batch:
        """The batch as JAX holds it on the twin's device, read back in the dtypes that it came in."""

        def held(array: NDArray) -> NDArray:
            return np.array(jax.device_put(array, self._device), array.dtype)

        return Batch(*jax.tree.map(held, (batch.inputs, batch.labels)))


def floating(gradient: Any) -> jax.Array:
    """The gradient; an empty one for whole numbers, to which JAX gives one that holds nothing."""
    return jnp.empty(0) if gradient.dtype == jax.dtypes.float0 else gradient
