"""The program of one pass over a user's Flax network: what it gives, and the gradients."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from parity.backends.flax.inputs import Leaves
from parity.backends.flax.look import Look
from parity.backends.flax.models.model import State
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.tape import Feeds
from parity.backends.flax.tracing.written import inexact
from parity.interface.side import Pass

Added = dict[int, jax.Array]
"""Number of a tap → the zeros that are added there, for the gradient of what passes."""


class PassArrays(NamedTuple):
    """All arrays that the program of a pass takes.

    Args:
        constants: arrays that the network was traced with.
        state: parameters and buffers by native name.
        arrays, targets: the arrays of the arguments, and of the objective's targets.
        cotangents: what the pass pulls back.
        feeds: what calls get in the place of their floating arguments, by their numbers.
        masks: what every use of dropout is multiplied with.
    """

    constants: Any
    state: State
    arrays: Leaves
    targets: Leaves
    cotangents: Leaves
    feeds: Feeds
    masks: Leaves


class PassProgram:
    """A function of a pass's arrays, which JAX can compile.

    Args:
        look: the network as it is traced in the mode of the pass.
        how: the pass, of which neither cotangents nor masks nor feeds are looked at.
        parameters: names of the learnable arrays.
    """

    def __init__(self, look: Look, how: Pass, parameters: frozenset[str]) -> None:
        self._look, self._how, self._parameters = look, how, parameters

    def __call__(self, operands: PassArrays) -> Any:
        """Each value once that the trace gives, and the gradients by parameter, by floating argument and by tap;
        an empty tuple in their place where none are asked for."""
        floating = [array for array in operands.arrays if inexact(array.dtype)]
        state = operands.state.items()
        learnable = {name: a for name, a in state if name in self._parameters and inexact(a.dtype)}

        def forward(learnable: State, floating: Leaves, added: Added) -> Any:
            results = self._results(operands, learnable, floating, added)
            return results[3], results

        once = self._look.traced.once
        if not self._how.pulls:
            return once(forward(learnable, floating, {})[1]), ()
        added = {number: jnp.zeros(shape, self._how.precision) for number, shape in self._look.taps.items()}
        ends, pullback, results = jax.vjp(forward, learnable, floating, added, has_aux=True)
        return once(results), pullback([c.astype(e.dtype) for c, e in zip(operands.cotangents, ends, strict=True)])

    def _results(self, operands: PassArrays, learnable: State, floating: Leaves, added: Added) -> Any:
        """What the trace gives with these in the place of the pass's own arrays."""
        how = self._how
        means, wide = how.training and how.mask is None, how.precision == "float64"
        plan = Plan(wide, added, operands.masks, means, self._look.noise)
        state, arrays = {**operands.state, **learnable}, _with_floating(operands.arrays, floating)
        return self._look.traced(plan, operands.constants, state, arrays, operands.targets, operands.feeds)


def _with_floating(arrays: Leaves, floating: Leaves) -> Leaves:
    """The arrays with other floating ones."""
    rest = iter(floating)
    return [next(rest) if inexact(array.dtype) else array for array in arrays]


def cotangents_of(shapes: Mapping[str, tuple[int, ...]], how: Pass) -> Leaves:
    """What the pass pulls back: 1 for the loss of an objective, else a cotangent for each leaf, zeros by default."""
    if how.objective is not None:
        return [jnp.ones((), how.precision)]
    cotangents = how.cotangents or {}
    return [jnp.asarray(np.asarray(cotangents.get(n, np.zeros(shape))), how.precision) for n, shape in shapes.items()]
