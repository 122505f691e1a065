"""Training in Flax: one compiled program, from state to state, whose memory is taken over."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.training.graph import State
from parity.backends.flax.training.network import FlaxNetwork
from parity.backends.flax.training.steps import (
    MOMENTS,
    Carry,
    Pass,
    TrainingStep,
    moments_of,
    predicted,
    scored,
    turned,
)
from parity.data import Batch, Inputs
from parity.interface.runs import Steps, TrainingState
from parity.interface.session import Session
from parity.interface.trace import Arrays
from parity.recipes import Optimizer

STEPS_PER_CALL = 32
LOOPED = 10_000
"""Largest number of parameters for which several steps go into one call. On 2 cores a step of the points' network (102)
took 0.07 ms in a loop of 32 and 0.23 ms alone, of the RNN (17,930, T = 30) 8.5 and 7.5 ms, of the MLP (3.8 million)
33.3 and 33.8 ms; convolutions in a loop are many times slower on XLA's CPU."""


class FlaxSession(Session[FlaxNetwork]):
    """A training run of a Flax network.

    A small network takes several steps in one call, in a loop whose length is an argument: the program of a step is one
    and the same however the steps are parted into calls, and so are its results, bit for bit.

    Kernels of dense layers are kept transposed, (out, in), as their gradients come faster so from XLA on a CPU: the
    MLP's step, batch 128, on 2 cores took 17.5 ms, before 19.5 ms.

    Args:
        network, optimizer: what is trained, and the recipe's optimizer.
        brief: whether the run will be a few steps, whose programs are compiled fast rather than well.
    """

    def __init__(self, network: FlaxNetwork, optimizer: Optimizer, *, brief: bool) -> None:
        super().__init__(network, optimizer)
        small = sum(array.size for array in network.variables.values()) <= LOOPED and not network.graph.has_convolutions
        self.steps_per_call = STEPS_PER_CALL if small and not brief else 1
        self._brief = brief
        with network.setting():
            self._carry = self._begin(jax.tree.map(jnp.copy, network.variables))

    def abstract_step(self, pass_: Pass | None = None) -> tuple[Callable[..., Any], Carry]:
        """One training step as a function of (carry, x, labels, rate), and its carry as shapes.

        For compilers that run nothing; the matrix products are at the precision of the context it is traced in.

        Args:
            pass_: the training pass, where it is not the session's own: that of devices which are not here.
        """
        return self._step(pass_).single, jax.eval_shape(lambda: self._carry)

    def _step(self, pass_: Pass | None = None) -> TrainingStep:
        """The steps as functions of arrays alone; they do not hold the session, whose network keeps their programs."""
        return TrainingStep(self.network, self.optimizer, pass_ or self._pass())

    def _pass(self) -> Pass:
        return self.network.loss_and_gradients

    def _begin(self, variables: State) -> Carry:
        learnable, buffers = self.network.graph.split(variables)
        learnable = turned(self.network, learnable)
        return learnable, buffers, self.network.optimizer(self.optimizer, 0.0).init(learnable)

    def _load(self, state: TrainingState) -> None:
        native = self._native(state.weights)
        learnable, buffers, kept = self._begin({name: native[name] for name in self.network.variables})
        moments: dict[str, Any] = {
            MOMENTS[self.optimizer.kind][name]: turned(self.network, self._native(arrays))
            for name, arrays in state.moments.items()
        }
        if optax.tree.get(kept, "count") is not None:
            moments["count"] = jnp.asarray(state.step, jnp.int32)
        self._carry = learnable, buffers, optax.tree.set(kept, **moments) if moments else kept

    def _native(self, arrays: Arrays) -> State:
        return {name: self.network.inputs(array) for name, array in self.network.import_weights(arrays).items()}

    def _state(self) -> TrainingState:
        learnable, buffers, kept = jax.tree.map(np.array, self._carry)  # copies: the next step takes the memory over
        moments = moments_of(self.optimizer, kept)
        return TrainingState(
            self.network.canonical({**turned(self.network, learnable), **buffers}),
            {name: self.network.canonical(turned(self.network, arrays)) for name, arrays in moments.items()},
            self.step,
        )

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        step, taken = self._step(), []
        program = self._program(step.several if self.steps_per_call > 1 else step.single)
        for block, rates in self._blocks(batches, self.network.rates(learning_rates)):
            self._carry, losses, hits = program(self._carry, *self._fed(block, rates))
            taken.append((len(block), losses, hits))
        return Steps([batch.count for batch in batches], lambda: _joined(taken))

    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        arrays = self._single(batch, self.network.rates([learning_rate])[0])
        self._carry, loss, _, gradients = self._program(self._step().observed)(self._carry, *arrays)
        return np.asarray(loss), self.network.canonical(gradients)

    def _program(self, step: Callable[..., Any]) -> Any:
        """The compiled program of a step; it takes the carry's memory over."""
        return self.network.program(
            (step.__name__, self.optimizer, self._brief, self.network.devices),
            step,
            donate_argnums=0,
            compiler_options=run_once() if self._brief else None,
            **self._placement(),
        )

    def _placement(self) -> dict[str, Any]:
        """Options of `jax.jit` that say where results are."""
        return {}

    def _blocks(self, batches: Sequence[Batch], rates: NDArray) -> Iterator[tuple[list[Batch], NDArray]]:
        """Batches of one shape that go into one call."""
        start = 0
        for _, group in groupby(batches, lambda batch: [array.shape for array in batch.arguments]):
            alike = list(group)
            for first in range(0, len(alike), self.steps_per_call):
                block = alike[first : first + self.steps_per_call]
                yield block, rates[start : start + len(block)]
                start += len(block)

    def _fed(self, block: list[Batch], rates: NDArray) -> tuple[Any, ...]:
        """Arguments of the program beside the carry: one step's, or the number of steps and all that there is room for.

        The batches of several steps lie one on another, (steps, B, …); room that is left is filled with the last one.
        """
        if self.steps_per_call == 1:
            return self._single(block[0], rates[0])
        inputs, labels = zip(*map(self._arrays, block), strict=True)
        room = self.steps_per_call - len(block)
        padding = [(0, room)]
        filled = [jax.tree.map(lambda *a: np.stack([*a, *[a[-1]] * room]), *arrays) for arrays in (inputs, labels)]
        return np.int32(len(block)), *filled, np.pad(rates, padding)

    def _single(self, batch: Batch, rate: Any) -> tuple[Any, ...]:
        """Arguments of a program of one step beside the carry."""
        return *self._arrays(batch), rate

    def _arrays(self, batch: Batch) -> tuple[Any, Any]:
        """Inputs (B, …) and labels (B, …), as programs take them."""
        return self._inputs(batch.inputs), self._inputs(batch.labels)

    def _inputs(self, inputs: Inputs) -> Any:
        """Inputs as programs take them: at the network's precision, and whole numbers as int32."""

        def taken(array: NDArray) -> NDArray:
            return np.asarray(array, self.network.dtype if np.issubdtype(array.dtype, np.floating) else np.int32)

        return jax.tree.map(taken, inputs)

    def wait(self) -> None:
        """Return when parameters, buffers and moments are there."""
        jax.block_until_ready(self._carry)

    def _predict(self, inputs: Iterable[Inputs]) -> list[jax.Array]:
        learnable, buffers, _ = self._carry
        program = self._looking(predicted)
        return [program(learnable, buffers, self._inputs(x)) for x in inputs]

    def _score(self, batch: Batch) -> tuple[Any, Any]:
        learnable, buffers, _ = self._carry
        return self._looking(scored)(learnable, buffers, *self._arrays(batch))

    def _looking(self, function: Callable[..., Any]) -> Any:
        """The compiled program of a function of the network and arrays that changes nothing."""
        key = (function.__name__, self.network.devices)
        return self.network.program(key, partial(function, self.network), **self._placement())


def _joined(taken: Sequence[tuple[int, Any, Any]]) -> tuple[NDArray, NDArray]:
    losses, hits = ([np.atleast_1d(part[i])[: part[0]] for part in taken] for i in (1, 2))
    return np.concatenate(losses), np.concatenate(hits)
