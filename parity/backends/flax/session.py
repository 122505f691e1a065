"""Training in Flax: one compiled program, from state to state, whose memory is taken over."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from parity.backends.flax.programs import RUN_ONCE
from parity.data import Batch
from parity.interface.session import Session, Steps, TrainingState
from parity.interface.trace import Arrays
from parity.recipes import Optimizer

if TYPE_CHECKING:
    from parity.backends.flax.twin import FlaxTwin

MOMENTS = {
    "adam": {"exp_avg": "mu", "exp_avg_sq": "nu"},
    "rmsprop": {"square_avg": "nu"},
    "sgd": {"momentum_buffer": "trace"},
}
STEPS_PER_CALL = 32
LOOPED = 10_000
"""Largest number of parameters for which several steps go into one call. On 2 cores a step of the points' network (102)
took 0.07 ms in a loop of 32 and 0.23 ms alone, of the RNN (17,930, T = 30) 8.5 and 7.5 ms, of the MLP (3.8 million)
33.3 and 33.8 ms; convolutions in a loop are many times slower on XLA's CPU."""
Carry = tuple[dict[str, jax.Array], dict[str, jax.Array], Any]  # parameters, buffers, optax's state
Pass = Callable[..., tuple[jax.Array, jax.Array, dict[str, jax.Array], dict[str, jax.Array]]]
"""Of a training pass over (parameters, buffers, x, labels): loss, logits, gradients, buffers."""


class FlaxSession(Session["FlaxTwin"]):
    """A training run of a Flax network.

    A small network takes several steps in one call, in a loop whose length is an argument: the program of a step is one
    and the same however the steps are parted into calls, and so are its results, bit for bit.

    Kernels of dense layers are kept transposed, (out, in), as their gradients come faster so from XLA on a CPU: the
    MLP's step, batch 128, on 2 cores took 17.5 ms, before 19.5 ms.
    """

    def __init__(self, twin: "FlaxTwin", optimizer: Optimizer, *, brief: bool) -> None:
        super().__init__(twin, optimizer)
        small = sum(array.size for array in twin.variables.values()) <= LOOPED and not twin.has_convolutions
        self.steps_per_call = STEPS_PER_CALL if small and not brief else 1
        self._brief = brief
        with twin.setting():
            self._carry = self._begin(jax.tree.map(jnp.copy, twin.variables))

    def abstract_step(self, pass_: Pass | None = None) -> tuple[Callable[..., Any], Carry]:
        """One training step as a function of (carry, x, labels, rate), and its carry as shapes.

        For compilers that run nothing; the matrix products are at the precision of the context it is traced in.

        Args:
            pass_: the training pass, where it is not the session's own: that of devices which are not here.
        """
        return self._bound(_one, pass_), jax.eval_shape(lambda: self._carry)

    def _bound(self, step: Callable[..., Any], pass_: Pass | None = None) -> Callable[..., Any]:
        """A step as a function of arrays alone; it does not hold the session, whose twin keeps its program."""
        return partial(step, self.twin, self.optimizer, pass_ or self._pass())

    def _pass(self) -> Pass:
        return self.twin.loss_and_gradients

    def _begin(self, variables: dict[str, jax.Array]) -> Carry:
        learnable, buffers = self.twin.split(variables)
        learnable = _turned(self.twin, learnable)
        return learnable, buffers, self.twin.optimizer(self.optimizer, 0.0).init(learnable)

    def _load(self, state: TrainingState) -> None:
        native = self._native(state.weights)
        learnable, buffers, kept = self._begin({name: native[name] for name in self.twin.variables})
        own = {
            MOMENTS[self.optimizer.kind][name]: _turned(self.twin, self._native(arrays))
            for name, arrays in state.moments.items()
        }
        if optax.tree.get(kept, "count") is not None:
            own["count"] = jnp.asarray(state.step, jnp.int32)  # type: ignore[assignment] # a number among the moments
        self._carry = learnable, buffers, optax.tree.set(kept, **own) if own else kept

    def _native(self, arrays: Arrays) -> dict[str, jax.Array]:
        return {name: self.twin.inputs(array) for name, array in self.twin.import_weights(arrays).items()}

    def _state(self) -> TrainingState:
        learnable, buffers, kept = jax.tree.map(np.array, self._carry)  # copies: the next step takes the memory over
        moments = moments_of(self.optimizer, kept)
        return TrainingState(
            self.twin.canonical({**_turned(self.twin, learnable), **buffers}),
            {name: self.twin.canonical(_turned(self.twin, arrays)) for name, arrays in moments.items()},
            self.step,
        )

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        program, seen = self._program(_many if self.steps_per_call > 1 else _one), []
        for block, rates in self._blocks(batches, self.twin.rates(learning_rates)):
            self._carry, losses, hits = program(self._carry, *self._fed(block, rates))
            seen.append((len(block), losses, hits))
        return Steps([len(batch.labels) for batch in batches], lambda: _joined(seen))

    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        arrays = self._single(batch, self.twin.rates([learning_rate])[0])
        self._carry, loss, _, gradients = self._program(_observed)(self._carry, *arrays)
        return np.asarray(loss), self.twin.canonical(gradients)

    def _program(self, step: Callable[..., Any]) -> Any:
        return self.twin.program(
            (step.__name__, self.optimizer, self._brief, self.twin.devices),
            self._bound(step),
            donate_argnums=0,
            compiler_options=RUN_ONCE if self._brief else None,
            **self._placement(),
        )

    def _placement(self) -> dict[str, Any]:
        """Options of `jax.jit` that say where results are."""
        return {}

    def _blocks(self, batches: Sequence[Batch], rates: NDArray) -> Iterator[tuple[list[Batch], NDArray]]:
        """Batches of one shape that go into one call."""
        start = 0
        for _, group in groupby(batches, lambda batch: batch.inputs.shape):
            alike = list(group)
            for first in range(0, len(alike), self.steps_per_call):
                block = alike[first : first + self.steps_per_call]
                yield block, rates[start : start + len(block)]
                start += len(block)

    def _fed(self, block: list[Batch], rates: NDArray) -> tuple[Any, ...]:
        """Arguments of the program: a single step, or their number and as many as the program has room for."""
        if self.steps_per_call == 1:
            return self._single(block[0], rates[0])
        inputs, labels = zip(*map(self._arrays, block), strict=True)
        room = self.steps_per_call - len(block)
        padding = [(0, room)]
        filled = [np.stack([*arrays, *[arrays[-1]] * room]) for arrays in (inputs, labels)]
        return np.int32(len(block)), *filled, np.pad(rates, padding)

    def _single(self, batch: Batch, rate: Any) -> tuple[Any, ...]:
        """Arguments of a program of one step."""
        return *self._arrays(batch), rate

    def _arrays(self, batch: Batch) -> tuple[Any, Any]:
        """Inputs and labels as programs take them."""
        return np.asarray(batch.inputs, self.twin.dtype), batch.labels.astype(np.int32)

    def wait(self) -> None:
        """Return when parameters, buffers and moments are there."""
        jax.block_until_ready(self._carry)

    def _predict(self, inputs: Iterable[NDArray]) -> list[jax.Array]:
        learnable, buffers, _ = self._carry
        program = self._looking(_predicted)
        return [program(learnable, buffers, np.asarray(x, self.twin.dtype)) for x in inputs]

    def _score(self, batch: Batch) -> tuple[Any, Any]:
        learnable, buffers, _ = self._carry
        return self._looking(_scored)(learnable, buffers, *self._arrays(batch))

    def _looking(self, function: Callable[..., Any]) -> Any:
        """The program of something that changes nothing."""
        key = (function.__name__, self.twin.devices)
        return self.twin.program(key, partial(function, self.twin), **self._placement())


def _observed(
    twin: "FlaxTwin", optimizer: Optimizer, pass_: Pass, carry: Carry, x: jax.Array, labels: jax.Array, rate: jax.Array
) -> tuple[Carry, jax.Array, jax.Array, dict[str, jax.Array]]:
    """One training step: what it goes on from, loss, correct predictions, gradients."""
    learnable, buffers, kept = carry
    loss, logits, gradients, buffers = pass_(_turned(twin, learnable), buffers, x, labels)
    updates, kept = twin.optimizer(optimizer, rate).update(_turned(twin, gradients), kept, learnable)
    return (optax.apply_updates(learnable, updates), buffers, kept), loss, _hits(logits, labels), gradients


def _one(
    twin: "FlaxTwin", optimizer: Optimizer, pass_: Pass, carry: Carry, x: jax.Array, labels: jax.Array, rate: jax.Array
) -> tuple[Carry, jax.Array, jax.Array]:
    """One training step without its gradients."""
    return _observed(twin, optimizer, pass_, carry, x, labels, rate)[:3]


def _many(
    twin: "FlaxTwin",
    optimizer: Optimizer,
    pass_: Pass,
    carry: Carry,
    count: jax.Array,
    x: jax.Array,
    labels: jax.Array,
    rates: jax.Array,
) -> tuple[Carry, jax.Array, jax.Array]:
    """The first `count` of the given steps."""

    def step(i: jax.Array, seen: tuple[Carry, jax.Array, jax.Array]) -> tuple[Carry, jax.Array, jax.Array]:
        carry, losses, hits = seen
        carry, loss, hit = _one(twin, optimizer, pass_, carry, x[i], labels[i], rates[i])
        return carry, losses.at[i].set(loss), hits.at[i].set(hit)

    nothing = jnp.zeros(len(rates), rates.dtype), jnp.zeros(len(rates), jnp.int32)
    return jax.lax.fori_loop(0, count, step, (carry, *nothing))


def _turned(twin: "FlaxTwin", arrays: dict[str, Any]) -> dict[str, Any]:
    """With the kernels of dense layers transposed; undoes itself."""
    return {name: array.T if name in twin.dense_kernels else array for name, array in arrays.items()}


def _scored(
    twin: "FlaxTwin", learnable: dict[str, jax.Array], buffers: dict[str, jax.Array], x: jax.Array, labels: jax.Array
) -> tuple[jax.Array, jax.Array]:
    logits = _predicted(twin, learnable, buffers, x)
    return twin.loss(logits, labels), _hits(logits, labels)


def _predicted(
    twin: "FlaxTwin", learnable: dict[str, jax.Array], buffers: dict[str, jax.Array], x: jax.Array
) -> jax.Array:
    return twin.apply({**_turned(twin, learnable), **buffers}, x, training=False)[0]


def moments_of(optimizer: Optimizer, state: Any) -> dict[str, Any]:
    """PyTorch's name of a moment → what optax keeps of it, by parameter."""
    names = MOMENTS[optimizer.kind]
    return {moment: optax.tree.get(state, names[moment]) for moment in optimizer.moments}


def _hits(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return (logits.argmax(-1) == labels).sum(dtype=jnp.int32)


def _joined(seen: Sequence[tuple[int, Any, Any]]) -> tuple[NDArray, NDArray]:
    losses, hits = ([np.atleast_1d(part[i])[: part[0]] for part in seen] for i in (1, 2))
    return np.concatenate(losses), np.concatenate(hits)
