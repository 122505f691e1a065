"""A traced pass of a Flax network, whose equations can be computed again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from numpy.typing import NDArray

from parity.backends.flax.inputs import arguments_of, arrays_in, setting, state_of, targets_of
from parity.backends.flax.look import Looks
from parity.backends.flax.programs.bounds import reads_beyond
from parity.backends.flax.programs.flat import NUMBER, Flat, flat
from parity.backends.flax.programs.in_numpy import computed
from parity.backends.flax.programs.pulls import pulled
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.tracing.widen import apply, constant, literal
from parity.backends.flax.tracing.written import inexact
from parity.interface.observation import Inputs
from parity.interface.programs.operations import Kind, Values, ValuesOfCall
from parity.interface.programs.program import Program, Pull
from parity.interface.side import Pass
from parity.interface.trace import Precision

WIDE: Precision = "float64"
READS = frozenset({"gather", "dynamic_slice"})
"""Equations that read an array at places that are computed."""
LOOPS = frozenset({"scan", "while", "cond"})
"""Equations that hold programs of their own."""


class FlaxProgram(Program):
    """One traced pass.

    Args:
        flat_program: its equations, as one list.
        arrays: number of a value that no equation gives → its array.
        origins: number of a value that no equation gives → what kind it is, and its name.
        calls: the calls of modules, in the order of a pass's.
        named: the values that have a name.
        plan: how equations are evaluated.
    """

    def __init__(
        self,
        flat_program: Flat,
        arrays: Mapping[int, Any],
        origins: Mapping[int, tuple[Kind, str]],
        calls: Sequence[ValuesOfCall],
        named: Values,
        plan: Plan,
    ) -> None:
        super().__init__([each for each, _, _ in flat_program.operations], origins, calls, named)
        self._flat_program, self._arrays, self._plan = flat_program, dict(arrays), plan
        self._compiled: dict[int, Callable[..., Any]] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Float64."""
        with setting(WIDE):
            yield

    def reads_beyond(self) -> list[str]:
        """Where gathers and slices outside loops do."""
        places = []
        with self.running():
            for number, (operation, equation, written) in enumerate(self._flat_program.operations):
                if equation.primitive.name in READS:
                    rest = iter(self.native(operation.operands))
                    values = [literal(v, self._plan) if isinstance(v, Literal) else next(rest) for v in written]
                    places += [self.operations[number].place] if reads_beyond(equation, values) else []
        return list(dict.fromkeys(places))

    def run_one(self, number: int, operands: Sequence[Any], settings: Mapping[str, Any]) -> Sequence[Any]:
        """What the equation gives."""
        _, equation, written = self._flat_program.operations[number]
        rest = iter(operands)
        values = [
            self._literal(operand, settings.get(f"{NUMBER} {place + 1}"))
            if isinstance(operand, Literal)
            else next(rest)
            for place, operand in enumerate(written)
        ]
        changed = {key: value for key, value in settings.items() if not key.startswith(NUMBER)}
        if changed:
            equation = equation.replace(params={**equation.params, **changed})
        if equation.primitive.name in LOOPS and not changed:
            return [_numpy(array) for array in self._loop(number, equation)(*map(_native, values))]
        results = computed(equation, [np.asarray(value) for value in values]) if _in_numpy(equation) else None
        if results is None:
            return [_numpy(array) for array in apply(equation, [_native(v) for v in values], self._plan)]
        return results

    def _loop(self, number: int, equation: Any) -> Callable[..., Any]:
        """An equation that holds programs of its own, compiled once: a search runs it again for every hypothesis, and
        JAX would trace and compile it each time."""
        if number not in self._compiled:

            def run(*values: Any) -> Sequence[Any]:
                return apply(equation, list(values), self._plan)

            self._compiled[number] = jax.jit(run, compiler_options=run_once())
        return self._compiled[number]

    def _literal(self, operand: Any, other: Any) -> Any:
        read = literal(operand, self._plan)
        return read if other is None else np.asarray(other, read.dtype)

    def pull(self, number: int) -> Pull:
        """How gradients go back through the equation."""
        operation, equation, written = self._flat_program.operations[number]
        known = dict(zip(operation.operands, self.native(operation.operands), strict=True))
        values = [literal(v, self._plan) if isinstance(v, Literal) else known[v] for v in written]
        return pulled(number, (operation, equation, written), values, self._plan)

    def given_array(self, value: int) -> Any:
        """An argument or a constant."""
        return _numpy(self._arrays[value])

    def as_numpy(self, array: Any) -> NDArray:
        """Give the array, which is NumPy's already."""
        keys = isinstance(array, jax.Array) and jnp.issubdtype(array.dtype, jax.dtypes.extended)
        return np.asarray(jax.random.key_data(array) if keys else array)

    def as_native(self, array: NDArray) -> Any:
        """NumPy's, as operations of JAX take it."""
        return array


def _in_numpy(equation: Any) -> bool:
    """Whether NumPy may compute an equation: it takes no keys of random numbers, which NumPy does not have, and
    converts to no whole number, whose rounding is JAX's."""
    if any(jnp.issubdtype(v.aval.dtype, jax.dtypes.extended) for v in equation.invars if hasattr(v.aval, "dtype")):
        return False
    if equation.primitive.name != "convert_element_type":
        return True
    return all(inexact(v.aval.dtype) for v in (*equation.invars, *equation.outvars))


def _numpy(array: Any) -> Any:
    """An array of JAX's in NumPy, but for keys of random numbers."""
    return array if jnp.issubdtype(array.dtype, jax.dtypes.extended) else np.asarray(array)


def _native(value: Any) -> Any:
    return jnp.asarray(value) if isinstance(value, np.ndarray) else value


def program(
    looks: Looks, native: Mapping[str, NDArray], inputs: Inputs, how: Pass, *, whole: bool = False
) -> FlaxProgram:
    """The equations of one pass with these arrays.

    Args:
        looks: The network.
        native: All parameters and buffers by native name.
        inputs: What the network is called with.
        how: The mode, what dropout does, and the objective.
        whole: Whether what makes the network's tables is there too though they get other numbers, which it then has
            not.
    """
    look = looks.look(inputs, how, native)
    traced, arguments, targets = look.traced, arguments_of(inputs), targets_of(how)
    with setting(WIDE):
        plan = Plan(masks=look.masks(how))
        jaxpr, constants = traced.widened(() if whole else looks.equal)
        flat_program, numbers, ends = flat(jaxpr, constants, derivatives=how.derivatives)
        state = state_of(native, look.types, WIDE)
        every: Any = (state, arrays_in(arguments, WIDE), arrays_in(targets, WIDE), {})
        arrays = dict(zip(numbers, jax.tree.leaves(every), strict=True))
        read = {number: constant(array, plan) for number, array in flat_program.constants.items()}
    names: list[tuple[Kind, str]] = [("array", name) for name in sorted(state)]
    names += [("input", name) for name in arguments.names] + [("input", f"target{name}") for name in targets.names]
    origins = dict(zip(numbers, names, strict=True)) | dict.fromkeys(read, ("constant", ""))
    results, recorded, buffers, last = traced.structured(_numbered(flat_program, ends, origins, read))
    calls = [
        ValuesOfCall(entry.path, tuple(taken), tuple(made))
        for entry, (taken, made) in zip(look.tape.entries, recorded, strict=True)
    ]
    loss = None if how.objective is None else last[0]
    return FlaxProgram(
        flat_program,
        {**arrays, **read},
        origins,
        calls,
        Values(dict(zip(look.names, results, strict=True)), buffers, loss),
        plan,
    )


def _numbered(
    flat_program: Flat, ends: Sequence[Any], origins: dict[int, tuple[Kind, str]], read: dict[int, Any]
) -> list[int]:
    """The numbers of a program's results; a literal among them becomes a constant."""
    numbers = []
    for end in ends:
        if isinstance(end, Literal):
            number = flat_program.new()
            origins[number], read[number] = ("constant", ""), literal(end, Plan())
            numbers.append(number)
        else:
            numbers.append(end)
    return numbers
