"""What is known of a user's network from tracing it in one mode."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from parity.backends.flax.inputs import Leaves, Type
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.places import casts, gelus, unwidened
from parity.backends.flax.tracing.tape import Tape, floats
from parity.interface.observation import Call, Cast
from parity.interface.side import Pass
from parity.interface.trace import call_names

BITS = 32
"""Of a float32 number."""


class Look:
    """A traced network.

    Args:
        traced: it gives the leaves of the result, inputs and outputs of every call, buffers, and what is
            differentiated.
        tape: what was recorded meanwhile.
        names: name of each leaf of the result, in order.
        types: shapes and types of parameters and buffers by native name.
    """

    def __init__(self, traced: Traced, tape: Tape, names: Sequence[str], types: Mapping[str, Type]) -> None:
        self.traced, self.tape, self.names, self.types = traced, tape, list(names), dict(types)
        results = zip(self.names, traced.result_types[0], strict=True)
        self.shapes = {name: leaf.shape for name, leaf in results if jnp.issubdtype(leaf.dtype, jnp.floating)}
        numbered = (pair for entry in tape.entries for pair in zip(entry.taps, entry.outputs, strict=True))
        self.taps = {number: output.shape for number, output in numbered if number is not None}

    @cached_property
    def gelus(self) -> tuple[str, ...]:
        """Form of every GELU."""
        return tuple(gelus(self.traced.closed.jaxpr))

    @cached_property
    def casts(self) -> tuple[Cast, ...]:
        """Casts to narrower types on the user's lines."""
        return tuple(dict.fromkeys(casts(self.traced.closed.jaxpr)))

    @cached_property
    def unwidened(self) -> tuple[str, ...]:
        """What cannot be evaluated in float64."""
        return tuple(dict.fromkeys(unwidened(self.traced.closed.jaxpr)))

    @cached_property
    def narrow(self) -> dict[str, str]:
        """Calls whose results are of a type narrower than float32, with its name."""
        names = call_names([entry.path for entry in self.tape.entries])
        every = ((name, leaf) for name, entry in zip(names, self.tape.entries, strict=True) for leaf in entry.outputs)
        return {name: leaf.dtype.name for name, leaf in every if floats(leaf) and jnp.finfo(leaf.dtype).bits < BITS}

    def masks(self, how: Pass) -> Leaves:
        """What every use of dropout is multiplied with."""
        if how.mask is None:
            return []
        found = ((how.mask(number, used), used) for number, used in enumerate(self.tape.dropouts))
        return [jnp.asarray(np.ones(used.shape) if m is None else m, how.precision) for m, used in found]

    def calls(self, recorded: Any, pulled: Any) -> Iterator[Call]:
        """Every call, from its arrays and the gradients of them by tap."""
        for entry, (given, outputs) in zip(self.tape.entries, recorded, strict=True):
            gradients = tuple(None if number is None else pulled[2][number] for number in entry.taps) if pulled else ()
            yield Call(entry.path, entry.type, entry.start, tuple(given), tuple(outputs), gradients)
