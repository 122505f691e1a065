"""A traced program as one list of equations: inner programs that are only called are written out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.extend.core import Literal

from parity.backends.flax.tracing import marks
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.places import place_of
from parity.backends.flax.tracing.widen import literal
from parity.backends.flax.tracing.widen_bodies import closed
from parity.interface.programs.operations import Operation, plain

CALLS = frozenset({"jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2"})
CUSTOM = frozenset({"custom_jvp_call", "custom_vjp_call"})
"""Primitives that give what their inner program gives."""
NUMBER = "number"
"""What the name of a setting begins with that is a number written in the program."""


@dataclass
class Flat:
    """The equations of a program.

    Args:
        operations: each with its equation, and what it takes: the number of a value, or a literal.
        constants: number of a value that the program was traced with → its array.
        derivatives: whether what has a derivative of its own stays one operation.
    """

    operations: list[tuple[Operation, Any, tuple[Any, ...]]] = field(default_factory=list)
    constants: dict[int, Any] = field(default_factory=dict)
    count: int = 0
    derivatives: bool = False

    def new(self) -> int:
        """The number of a new value."""
        self.count += 1
        return self.count - 1


def flat(jaxpr: Any, constants: Sequence[Any], *, derivatives: bool = False) -> tuple[Flat, list[int], list[Any]]:
    """A program as one list.

    Args:
        jaxpr: the program.
        constants: the arrays that it was traced with.
        derivatives: whether what has a derivative of its own stays one operation, and is not written out.

    Returns:
        The list, the numbers of the program's arguments, and those of its results, or literals.
    """
    flat_program = Flat(derivatives=derivatives)
    arguments = [flat_program.new() for _ in jaxpr.invars]
    known: dict[Any, Any] = dict(zip(jaxpr.invars, arguments, strict=True))
    known |= _constants(flat_program, jaxpr.constvars, constants)
    _walk(flat_program, jaxpr.eqns, known, "")
    return flat_program, arguments, [_of(variable, known) for variable in jaxpr.outvars]


def _constants(flat_program: Flat, variables: Sequence[Any], arrays: Sequence[Any]) -> dict[Any, int]:
    numbers = {}
    for variable, array in zip(variables, arrays, strict=True):
        numbers[variable] = flat_program.new()
        flat_program.constants[numbers[variable]] = array
    return numbers


def _of(variable: Any, known: Mapping[Any, Any]) -> Any:
    return variable if isinstance(variable, Literal) else known[variable]


def _walk(flat_program: Flat, equations: Sequence[Any], known: dict[Any, Any], place: str) -> None:
    for equation in equations:
        operands = [_of(variable, known) for variable in equation.invars]
        name, here = equation.primitive.name, place or place_of(equation) or ""
        if name == marks.TAP.name:
            known[equation.outvars[0]] = operands[0]
        elif (body := _body(equation, flat_program.derivatives)) is not None:
            inside: dict[Any, Any] = dict(zip(body.jaxpr.invars, operands, strict=True))
            inside |= _constants(flat_program, body.jaxpr.constvars, body.consts)
            _walk(flat_program, body.jaxpr.eqns, inside, here)
            known |= zip(equation.outvars, (_of(v, inside) for v in body.jaxpr.outvars), strict=True)
        elif name != "debug_callback":
            _add(flat_program, equation, operands, known, here)


def _body(equation: Any, derivatives: bool) -> Any:
    """The inner program of an equation that gives what that gives; None of any other equation."""
    name, params = equation.primitive.name, equation.params
    if name in CALLS and params.get("name") != marks.BERNOULLI:
        return closed(params.get("jaxpr") or params.get("call_jaxpr"))
    if name in CUSTOM and not derivatives:
        return closed(params.get("call_jaxpr") or params.get("fun_jaxpr"))
    return None


def _add(flat_program: Flat, equation: Any, operands: Sequence[Any], known: dict[Any, Any], place: str) -> None:
    results = tuple(flat_program.new() for _ in equation.outvars)
    known |= zip(equation.outvars, results, strict=True)
    settings = {key: value for key, value in equation.params.items() if plain(value)}
    for number, operand in enumerate(operands):
        if isinstance(operand, Literal) and getattr(operand.aval, "shape", None) == ():
            settings[f"{NUMBER} {number + 1}"] = np.asarray(literal(operand, Plan())).item()
    numbered = tuple(operand for operand in operands if not isinstance(operand, Literal))
    operation = Operation(equation.primitive.name, place, numbered, results, settings)
    flat_program.operations.append((operation, equation, tuple(operands)))
