"""One training step of a Flax network, and several, as pure functions that JAX compiles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from parity.backends.flax.training.graph import State
from parity.backends.flax.training.network import FlaxNetwork
from parity.recipes import Optimizer

MOMENTS = {
    "adam": {"exp_avg": "mu", "exp_avg_sq": "nu"},
    "rmsprop": {"square_avg": "nu"},
    "sgd": {"momentum_buffer": "trace"},
}
"""Kind of optimizer → PyTorch's name of a moment → optax's."""
Carry = tuple[State, State, Any]
"""What a step goes on from: parameters, whose dense kernels are transposed, buffers, and optax's state."""
Pass = Callable[..., tuple[jax.Array, jax.Array, State, State]]
"""A training pass over (parameters, buffers, x, labels) that gives loss, logits, gradients and buffers."""


@dataclass(frozen=True, eq=False)
class TrainingStep:
    """What a training step is made of, but for the arrays that its methods take.

    Args:
        network: what is trained; its loss and its optimizer are asked for each time that JAX traces a step.
        optimizer: the recipe's optimizer.
        pass_: the training pass.
    """

    network: FlaxNetwork
    optimizer: Optimizer
    pass_: Pass

    def observed(
        self, carry: Carry, x: Any, labels: jax.Array, rate: jax.Array
    ) -> tuple[Carry, jax.Array, jax.Array, State]:
        """Take one step.

        Args:
            carry: what the step goes on from.
            x, labels: the batch, (B, …) at the network's precision and int32 (B,), or floating where they
                are no classes.
            rate: the learning rate, a scalar.

        Returns:
            what the next step goes on from, the mean loss, the number of correct predictions, and the gradients.
        """
        learnable, buffers, kept = carry
        loss, logits, gradients, buffers = self.pass_(turned(self.network, learnable), buffers, x, labels)
        optimizer = self.network.optimizer(self.optimizer, rate)
        updates, kept = optimizer.update(turned(self.network, gradients), kept, learnable)
        return (optax.apply_updates(learnable, updates), buffers, kept), loss, _hits(logits, labels), gradients

    def single(self, carry: Carry, x: Any, labels: jax.Array, rate: jax.Array) -> tuple[Carry, jax.Array, jax.Array]:
        """Take one step as `observed` does, without giving its gradients."""
        return self.observed(carry, x, labels, rate)[:3]

    def several(
        self, carry: Carry, count: jax.Array, x: Any, labels: jax.Array, rates: jax.Array
    ) -> tuple[Carry, jax.Array, jax.Array]:
        """Take the first `count` of the steps whose batches x (steps, B, …) and labels (steps, B) lie one on another.

        Returns:
            what the next step goes on from, and the losses and numbers of correct predictions, (steps,), of which those
            beyond `count` are zero.
        """

        def step(i: jax.Array, taken: tuple[Carry, jax.Array, jax.Array]) -> tuple[Carry, jax.Array, jax.Array]:
            carry, losses, hits = taken
            arguments, wanted = jax.tree.map(lambda array: array[i], (x, labels))
            carry, loss, hit = self.single(carry, arguments, wanted, rates[i])
            return carry, losses.at[i].set(loss), hits.at[i].set(hit)

        nothing = jnp.zeros(len(rates), rates.dtype), jnp.zeros(len(rates), jnp.int32)
        return jax.lax.fori_loop(0, count, step, (carry, *nothing))


def scored(
    network: FlaxNetwork, learnable: State, buffers: State, x: Any, labels: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Mean loss and number of correct predictions of a batch in evaluation mode."""
    logits = predicted(network, learnable, buffers, x)
    return network.loss(logits, labels), _hits(logits, labels)


def predicted(network: FlaxNetwork, learnable: State, buffers: State, x: Any) -> jax.Array:
    """Logits (B, classes) in evaluation mode, from parameters whose dense kernels are transposed."""
    return network.apply({**turned(network, learnable), **buffers}, x, training=False)[0]


def turned(network: FlaxNetwork, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays with the kernels of dense layers transposed; undoes itself."""
    return {name: array.T if name in network.graph.dense_kernels else array for name, array in arrays.items()}


def moments_of(optimizer: Optimizer, state: Any) -> dict[str, Any]:
    """PyTorch's name of a moment → what optax's state keeps of it, by parameter."""
    names = MOMENTS[optimizer.kind]
    return {moment: optax.tree.get(state, names[moment]) for moment in optimizer.moments}


def _hits(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The number of correct predictions; 0 where labels are no classes."""
    if jnp.issubdtype(labels.dtype, jnp.floating):
        return jnp.zeros((), jnp.int32)
    return (logits.argmax(-1) == labels).sum(dtype=jnp.int32)
