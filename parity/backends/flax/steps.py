"""Steps of training over a user's Flax network, and of its optimizer alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.inputs import (
    FlaxTree,
    Leaves,
    arguments_of,
    arrays_in,
    inputs_of,
    loss_of,
    setting,
    state_of,
    targets_of,
    type_of,
)
from parity.backends.flax.look import Looks
from parity.backends.flax.models.model import State
from parity.backends.flax.optimizers import OptimizerRule
from parity.backends.flax.programs.flat import flat
from parity.backends.flax.results import flattened
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.marks import Plan
from parity.interface.observation import Inputs
from parity.interface.programs.operations import numbers_in
from parity.interface.side import Pass
from parity.interface.sides.trained import Objective
from parity.interface.trace import Arrays, Precision, Trajectory


class Steps:
    """Steps that change a network's arrays.

    Args:
        looks: the network.
    """

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None,
    ) -> Trajectory:
        """Float64 training steps, as `Side.train` has them."""
        how = Pass(training=True, capture=False, objective=objective)
        trees = [targets_of(how) if objective is not None else FlaxTree(dict(target)) for target in targets]
        types = self._looks.look(inputs[0], how).types
        learnable = {name: types[name] for name in native if name in self._looks.parameters}
        rule = OptimizerRule(optimizer, self._looks.model, learnable)
        step = self._step(rule, arguments_of(inputs[0]), trees[0], how)
        first = arguments_of(inputs[0]).types
        traced = Traced(step, types, rule.moment_types, first, trees[0].types)
        program = traced.compiled(Plan(means=True, noise=self._looks.noise), self._looks.equal)
        losses = []
        with setting("float64"):
            state = state_of(native, types, "float64")
            moments = rule.begun({name: state[name] for name in learnable}, "float64")
            for batch, tree in zip(inputs, trees, strict=True):
                arrays, aims = arrays_in(arguments_of(batch), "float64"), arrays_in(tree, "float64")
                state, moments, loss = program(state, moments, arrays, aims)
                losses.append(float(loss))
            return Trajectory(np.array(losses), {name: np.array(array) for name, array in state.items()})

    def _step(self, rule: OptimizerRule, arguments: FlaxTree, targets: FlaxTree, how: Pass) -> Any:
        """A function of state, moments and the arrays of arguments and targets: state, moments and loss after them."""

        def step(state: State, moments: Any, arrays: Leaves, targeted: Leaves) -> Any:
            learnable = {name: state[name] for name in rule.names}
            objective = self._objective(state, inputs_of(arguments, arrays), targets.merged(targeted), how)
            (loss, buffers), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
            learnt, moments = rule.step(learnable, gradients, moments)
            return {**state, **buffers, **learnt}, moments, loss

        return step

    def _objective(self, state: State, inputs: Inputs, targets: Any, how: Pass) -> Any:
        """The loss and the buffers, as a function of the learnable arrays."""

        def run(learnable: State) -> tuple[jax.Array, State]:
            result, buffers = self._looks.apply({**state, **learnable}, inputs, self._looks.tape(how))
            if how.objective is not None:
                return loss_of(how.objective, result, targets), buffers
            leaves = flattened(result)
            return jnp.concatenate([((leaves[n] - t) ** 2).ravel() for n, t in targets.items()]).mean(), buffers

        return run

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Parameters after every step of the optimizer alone, as `Side.update` has them."""
        types = {name: type_of(array) for name, array in parameters.items()}
        rule, steps = OptimizerRule(optimizer, self._looks.model, types), []
        step = Traced(rule.step, types, types, rule.moment_types).compiled(Plan(precision == "float64"))
        with setting(precision):
            arrays = state_of(parameters, types, precision)
            moments = rule.begun(arrays, precision)
            for gradient in gradients:
                pulled = state_of({name: gradient[name] for name in parameters}, types, precision)
                arrays, moments = step(arrays, pulled, moments)
                steps.append({name: np.array(array) for name, array in arrays.items()})
            return steps

    def written(self, optimizer: Any, parameters: Mapping[str, NDArray]) -> list[float]:
        """The numbers that are written in an optimizer, as `Side.written` has them."""
        types = {name: type_of(array) for name, array in parameters.items()}
        rule = OptimizerRule(optimizer, self._looks.model, types)
        step = Traced(rule.step, types, types, rule.moment_types)
        with setting("float64"):
            programs = [flat(*traced.widened())[0] for traced in (rule.first, step)]
        settings = [each.settings for program in programs for each, _, _ in program.operations]
        return list(dict.fromkeys(float(n) for options in settings for n in numbers_in(list(options.values()))))


def rates(schedule: Any, steps: int, precision: Precision) -> NDArray:
    """Learning rates that optax's schedule gives for the first so many counts."""
    traced = Traced(lambda count: jnp.asarray(schedule(count), jnp.float32), type_of(np.asarray(0)))
    rate = traced.compiled(Plan(precision == "float64"))
    return np.array([rate(np.asarray(count, np.int32)) for count in range(steps)])
