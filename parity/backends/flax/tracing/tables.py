"""Parts a traced program into its tables, which depend on no argument, and the rest, which takes them as constants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jax.extend.core import ClosedJaxpr, Literal

from parity.backends.flax.tracing import marks
from parity.backends.flax.tracing.noise import drawn_by, marked
from parity.backends.flax.tracing.places import place_of
from parity.backends.flax.tracing.widen_bodies import bodies, closed
from parity.interface.observation import Drawn

CALLS = frozenset({"jit", "pjit", "closed_call", "core_call"})
"""Primitives that only call an inner program."""
DRAWS = ("random_", "threefry", "rng_")
"""What the names of primitives begin with that draw random numbers, or prepare to."""


@dataclass(frozen=True)
class Program:
    """Equations, with what of a `Jaxpr` it takes to evaluate them.

    Args:
        constvars, invars, outvars: its constants, arguments and results.
        eqns: the equations, in order.
    """

    constvars: Sequence[Any]
    invars: Sequence[Any]
    eqns: Sequence[Any]
    outvars: Sequence[Any]


@dataclass(frozen=True)
class Parted:
    """A program in two parts.

    Args:
        tables: gives the tables, of the constants that the program was traced with.
        rest: the program that takes these tables as its constants.
        places: the user's line that uses each table first; None where no line is theirs.
        draws: the draws of random numbers of the rest that may get other numbers, in order.
    """

    tables: Program
    rest: Program
    places: Sequence[str | None]
    draws: Sequence[Drawn]


class Inner:
    """A variable of an inner program at one of its calls."""

    def __init__(self, aval: Any) -> None:
        self.aval = aval


def parted(program: ClosedJaxpr) -> Parted:
    """The two parts of a program; inner programs that are only called are written out."""
    jaxpr, names = program.jaxpr, dict[Any, Any]()
    known: set[Any] = set(jaxpr.constvars)
    first, rest, draws = [], [], list[Drawn]()
    for equation in _flat(jaxpr, names, known):
        if _fixed(equation, known):
            known.update(equation.outvars)
            first.append(equation)
        elif drawn := drawn_by(equation):
            rest.append(marked(equation, len(draws), drawn))
            draws.append(drawn)
        else:
            rest.append(equation)
    results = [_named(variable, names) for variable in jaxpr.outvars]
    places: dict[Any, str | None] = {}
    for equation in rest:
        for variable in (v for v in equation.invars if not isinstance(v, Literal) and v in known):
            places[variable] = places.get(variable) or place_of(equation)
    for variable in (v for v in results if not isinstance(v, Literal) and v in known):
        places.setdefault(variable, None)
    return Parted(
        Program(jaxpr.constvars, (), first, list(places)),
        Program(list(places), jaxpr.invars, rest, results),
        list(places.values()),
        draws,
    )


def written_out(program: ClosedJaxpr) -> tuple[list[Any], list[Any]]:
    """The equations of a program with those of the programs that it only calls in the place of the call, and its
    results."""
    names: dict[Any, Any] = {}
    equations = list(_flat(program.jaxpr, names, set()))
    return equations, [_named(variable, names) for variable in program.jaxpr.outvars]


def distinct(program: Program) -> tuple[list[int], list[int]]:
    """The place of each value among the results of a program where it is first, and for each of the results the number
    of its value. What went through a tap is the value that came to it."""
    untapped = {e.outvars[0]: e.invars[0] for e in program.eqns if e.primitive.name == marks.TAP.name}
    numbers: dict[Any, int] = {}
    first, which = list[int](), list[int]()
    for place, variable in enumerate(program.outvars):
        while not isinstance(variable, Literal) and variable in untapped:
            variable = untapped[variable]
        key = id(variable)
        if key not in numbers:
            numbers[key] = len(first)
            first.append(place)
        which.append(numbers[key])
    return first, which


def _flat(jaxpr: Any, names: dict[Any, Any], known: set[Any]) -> Iterator[Any]:
    """The equations of a program; those of the programs that it only calls in the place of the call.

    Args:
        jaxpr: The program.
        names: Its variables that go by another name, with that; results of calls are added.
        known: What depends on no argument; it grows while the equations are taken.
    """
    for original in jaxpr.eqns:
        arguments = [_named(variable, names) for variable in original.invars]
        equation = original.replace(invars=arguments, outvars=[names.get(v, v) for v in original.outvars])
        if not _is_written_out(equation, known):
            yield equation
            continue
        body = _body(equation).jaxpr
        inside: dict[Any, Any] = dict(zip(body.invars, arguments, strict=True))
        inside |= {variable: Inner(variable.aval) for e in body.eqns for variable in e.outvars}
        yield from _flat(body, inside, known)
        names |= zip(original.outvars, (_named(variable, inside) for variable in body.outvars), strict=True)


def _body(equation: Any) -> ClosedJaxpr:
    return closed(equation.params.get("jaxpr") or equation.params.get("call_jaxpr"))


def _named(variable: Any, names: dict[Any, Any]) -> Any:
    return variable if isinstance(variable, Literal) else names.get(variable, variable)


def _is_written_out(equation: Any, known: set[Any]) -> bool:
    """Whether an equation only calls a program, which is neither fixed as a whole nor one that is taken over."""
    if equation.primitive.name not in CALLS or equation.params.get("name") == marks.BERNOULLI or drawn_by(equation):
        return False
    return not _body(equation).consts and not _fixed(equation, known)


def _fixed(equation: Any, known: set[Any]) -> bool:
    """Whether the results of an equation depend on no argument of the program."""
    if not all(isinstance(variable, Literal) or variable in known for variable in equation.invars):
        return False
    return not equation.effects and not _is_marked(equation)


def _is_marked(equation: Any) -> bool:
    """Whether an equation, or one inside it, is a place that is filled in later, or draws random numbers."""
    name = equation.primitive.name
    if name in marks.MARKS or name.startswith(DRAWS) or equation.params.get("name") == marks.BERNOULLI:
        return True
    return any(_is_marked(inner) for body in bodies(equation.params) for inner in body.eqns)
