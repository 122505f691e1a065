"""What is known of a user's network from tracing it in one mode, and the traces in all modes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.draws import drawn_dropout
from parity.backends.flax.inputs import FlaxTree, Leaves, Type, arguments_of, inputs_of, targets_of, type_of
from parity.backends.flax.models.model import Model, State
from parity.backends.flax.results import ends_of, flattened
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.places import casts, gelus, unwidened
from parity.backends.flax.tracing.tape import Feeds, Tape, floats, transparent_checkpoints
from parity.backends.flax.tracing.written import wide
from parity.interface.observation import Call, Cast, EqualTables, Inputs, Noise
from parity.interface.side import Pass
from parity.interface.trace import Arrays, Precision, call_names

BITS = 32
"""Of a float32 number."""
SINGLE = BITS // 8
"""Bytes of a float32 number."""


class Look:
    """A traced network.

    Args:
        traced: it gives the leaves of the result, inputs and outputs of every call, buffers, and what is
            differentiated.
        tape: what was recorded meanwhile.
        names: name of each leaf of the result, in order.
        types: shapes and types of parameters and buffers by native name.
        noise: numbers of the network's draws that are no dropout; None lets it draw them.
    """

    def __init__(
        self, traced: Traced, tape: Tape, names: Sequence[str], types: Mapping[str, Type], noise: Noise | None = None
    ) -> None:
        self.traced, self.tape, self.names, self.types = traced, tape, list(names), dict(types)
        self.noise = noise
        self.programs: dict[tuple[bool, Precision, bool], Any] = {}
        """Its compiled programs, with gradients or without, in each precision, as the user's are compiled or not."""
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
        masks = ((how.mask(number, used), used) for number, used in enumerate(self.tape.dropouts))
        return [jnp.asarray(np.ones(used.shape) if m is None else m, how.precision) for m, used in masks]

    def calls(self, recorded: Any, pulled: Any) -> Iterator[Call]:
        """Every call, from its arrays and the gradients of them by tap."""
        for entry, (inputs, outputs) in zip(self.tape.entries, recorded, strict=True):
            gradients = tuple(None if number is None else pulled[2][number] for number in entry.taps) if pulled else ()
            yield Call(entry.path, entry.type, entry.start, tuple(inputs), tuple(outputs), gradients)


class Looks:
    """A user's network, traced once for every mode in which it is looked at.

    Args:
        model: the network.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._looks: dict[Any, Look] = {}
        self._unrolled = False
        self.equal: list[EqualTables] = []
        """Tables that get other numbers in float64."""
        self.noise: Noise | None = None
        """Numbers of the network's draws that are no dropout; None lets it draw them."""

    @cached_property
    def native(self) -> Arrays:
        """Copies of all parameters and buffers, in float64."""
        return _read_only(self.model.arrays)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Names of the learnable ones."""
        return self.model.parameters

    def look(self, inputs: Inputs, how: Pass, native: Mapping[str, NDArray] | None = None) -> Look:
        """The network traced in that mode, as its user runs it, whatever the precision.

        Args:
            inputs: The arguments of the call.
            how: The mode, and what is captured.
            native: The arrays that it runs with; the user's own if left out. A network may change the shape of its
                state, which keeps axes of length one after a training pass.
        """
        held = native or self.native
        shapes = tuple((name, a.shape) for name, a in held.items() if a.shape != self.native[name].shape)
        arguments = arguments_of(inputs)
        fed = tuple((start, tuple(a.shape for a in feed)) for start, feed in how.feeds.items())
        key = (how.training, how.capture, arguments.key, how.mask is None, how.objective, fed, shapes)
        if key not in self._looks:
            self._looks[key] = self._traced(arguments, how, held)
            if self._looks[key].tape.apart and not self._unrolled:
                self.unroll()  # to see every use of dropout
                return self.look(inputs, how, native)
        return self._looks[key]

    def unroll(self) -> None:
        """Look at scans and compiled functions step by step from now on; what was traced before is forgotten."""
        self._unrolled = True
        self._looks.clear()

    def share(self, noise: Noise) -> None:
        """Give the network's draws these numbers from now on; what was traced before is forgotten."""
        self.noise = noise
        self._looks.clear()

    def tape(self, how: Pass) -> Tape:
        """An empty tape for a call in that mode."""
        return Tape(how.training, how.mask is not None, how.capture, self._unrolled)

    def apply(self, state: State, inputs: Inputs, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one call, which is recorded on the tape."""
        with jax.disable_jit(self._unrolled), transparent_checkpoints(), drawn_dropout(tape):
            return self.model.apply(state, inputs.args, inputs.kwargs, tape)

    def _traced(self, arguments: FlaxTree, how: Pass, native: Mapping[str, NDArray]) -> Look:
        """With arrays in float32; in the user's own types where the network does not run with these."""
        try:
            return self._traced_with({name: type_of(array) for name, array in native.items()}, arguments, how)
        except Exception:
            arrays = self.model.arrays
            types = {name: type_of(array, arrays[name].dtype) for name, array in native.items()}
            if not any(jnp.issubdtype(t.dtype, jnp.floating) and t.dtype.itemsize < SINGLE for t in types.values()):
                raise
            return self._traced_with(types, arguments, how)

    def _traced_with(self, types: Mapping[str, Type], arguments: FlaxTree, how: Pass) -> Look:
        tape, targets = self.tape(how), targets_of(how)
        names: list[str] = []

        def run(state: State, arrays: Leaves, targeted: Leaves, feeds: Feeds) -> Any:
            tape.feeds = feeds
            tape.admit(state, arrays)
            result, buffers = self.apply(state, inputs_of(arguments, arrays), tape)
            every = flattened(result)
            names.extend(every)
            ends = ends_of(result, how, targets.merged(targeted))
            recorded = [(entry.inputs, entry.outputs) for entry in tape.entries]
            return list(every.values()), recorded, buffers, ends

        fed = {start: [type_of(array) for array in feed] for start, feed in how.feeds.items()}
        return Look(Traced(run, types, arguments.types, targets.types, fed), tape, names, types, self.noise)


def _read_only(arrays: Mapping[str, Any]) -> Arrays:
    """Read-only NumPy copies, floating ones in float64, complex ones in complex128."""
    copies = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        copied = array.astype(wide(array.dtype))  # always a copy
        copied.flags.writeable = False
        copies[name] = copied
    return copies
