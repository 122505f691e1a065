"""Passes over a user's Flax network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.gradients import PassArrays, PassProgram, cotangents_of
from parity.backends.flax.inputs import (
    FlaxTree,
    Leaves,
    Type,
    arguments_of,
    arrays_in,
    inputs_of,
    setting,
    state_of,
    targets_of,
)
from parity.backends.flax.look import SINGLE, Look, Looks
from parity.backends.flax.models.model import State
from parity.backends.flax.results import described, flattened, places_of_draws
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.faults import smallest_fault
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.tracing.tape import floats
from parity.backends.flax.tracing.written import inexact
from parity.interface.observation import Inputs, Leaf, Miscompiled, PassResult, Returned
from parity.interface.side import Pass

DRAW = Type((), np.dtype(np.uint32))
"""Type of the number of a draw."""


class Passes:
    """Single passes over a network.

    Args:
        looks: the network.
    """

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def returned(self, inputs: Inputs, training: bool) -> Returned:
        """What the network returns, and whether its draws change it."""
        how = Pass("float32", training, capture=False)
        drawn = self._drawn(inputs, how, leaves_dropout=not training)
        noisy = bool(drawn.random) and (training or bool(self._drawn(inputs, how, leaves_dropout=False).random))
        return replace(drawn, noisy=noisy)

    def _drawn(self, inputs: Inputs, how: Pass, leaves_dropout: bool) -> Returned:
        """What the network returns, where it draws what changes that, and all its draws."""
        arguments, types = arguments_of(inputs), self._looks.look(inputs, how).types
        leaves: dict[str, Leaf] = {}

        def apply(draw: jax.Array, state: State, arrays: Leaves) -> Leaves:
            tape = self._looks.tape(how)
            tape.draw, tape.leaves = draw, leaves_dropout
            tape.admit(state, arrays)
            output, _ = self._looks.apply(state, inputs_of(arguments, arrays), tape)
            leaves.update(described(output))
            return list(flattened(output).values())

        traced = Traced(apply, DRAW, types, arguments.types)
        plan = Plan(wide=False, means=how.training, noise=self._looks.noise)
        with setting("float32"):
            state = state_of(self._looks.native, types, "float32")
            places = places_of_draws(traced, plan, state, arrays_in(arguments, how.precision))
        return Returned(leaves, places, draws=tuple(traced.draws))

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass with these arrays."""
        look = self._looks.look(inputs, how, native)
        arguments, program = arguments_of(inputs), self._program(look, how)
        with setting(how.precision):
            constants = look.traced.constants(how.precision, self._looks.equal)
            plain = program(_pass_arrays(look, constants, native, arguments, how))
            once, pulled = jax.tree.map(_array, plain)
        results, recorded, buffers, ends = look.traced.repeated(once)
        return PassResult(
            outputs=dict(zip(look.names, results, strict=True)),
            calls=tuple(look.calls(recorded, pulled)),
            buffers=buffers,
            parameter_gradients=pulled[0] if pulled else {},
            input_gradients=dict(zip(_floating_names(arguments), pulled[1], strict=True)) if pulled else {},
            dropouts=tuple(look.tape.dropouts),
            gelus=look.gelus,
            narrow=look.narrow if how.precision == "float32" else {},
            undone=look.casts,
            unwidened=look.unwidened,
            loss=None if how.objective is None else ends[0],
        )

    def _program(self, look: Look, how: Pass) -> Any:
        key = (how.pulls, how.precision, how.deployed)
        if key not in look.programs:
            program = PassProgram(look, how, self._looks.parameters)
            look.programs[key] = jax.jit(program, compiler_options=None if how.deployed else run_once())
        return look.programs[key]

    def miscompiled(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Miscompiled | None:
        """The smallest program in that pass that XLA computes wrongly, if one is found."""
        look, arguments = self._looks.look(inputs, how, native), arguments_of(inputs)
        with setting(how.precision):
            constants = look.traced.constants(how.precision, self._looks.equal)
            arrays = _pass_arrays(look, constants, native, arguments, how)
            return smallest_fault(PassProgram(look, how, self._looks.parameters), arrays)


def _pass_arrays(
    look: Look, constants: list[Any], native: Mapping[str, NDArray], arguments: FlaxTree, how: Pass
) -> PassArrays:
    """What the program of the pass takes, in its precision."""
    return PassArrays(
        constants=constants,
        state=state_of(native, look.types, how.precision),
        arrays=arrays_in(arguments, how.precision),
        targets=arrays_in(targets_of(how), how.precision),
        cotangents=cotangents_of(look.shapes, how),
        feeds={start: [jnp.array(a, how.precision) for a in feed] for start, feed in how.feeds.items()},
        masks=look.masks(how),
    )


def _floating_names(tree: FlaxTree) -> list[str]:
    return [name for name, kind in zip(tree.names, tree.types, strict=True) if inexact(kind.dtype)]


def _array(array: jax.Array) -> NDArray[Any]:
    """The array in NumPy; the short floating types become float64, on PyTorch's side too: NumPy has no bfloat16."""
    numbers = np.asarray(array)
    return numbers.astype(np.float64) if floats(array) and numbers.dtype.itemsize < SINGLE else numbers
