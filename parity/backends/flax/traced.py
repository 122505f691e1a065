"""A function of JAX's, traced once as its user runs it, and evaluated in either precision."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from parity.backends.flax.inputs import Type, setting, tracing
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.tracing.tables import distinct, parted
from parity.backends.flax.tracing.widen import constant, evaluate_with
from parity.backends.flax.tracing.written import narrow
from parity.checks.tables import is_table, nudged, replaced
from parity.interface.observation import EqualTables, Table
from parity.interface.trace import Precision


class Traced:
    """A traced function.

    Args:
        function: a function that takes trees of arrays and gives a tree of arrays.
        *types: trees of the shapes and types that it is called with, as `jax.ShapeDtypeStruct`.
    """

    def __init__(self, function: Callable[..., Any], *types: Any) -> None:
        with tracing():
            self.closed, shapes = jax.make_jaxpr(function, return_shape=True)(*types)
        self._parts = parted(self.closed)
        self.draws = self._parts.draws
        self._structure = jax.tree.structure(shapes)
        self._first, self._which = distinct(self._parts.rest)
        self.result_types = shapes
        self._constants: dict[Precision, list[Any]] = {}

    def constants(self, precision: Precision, equal: Sequence[EqualTables] = ()) -> list[Any]:
        """The arrays that it computes with and that depend on no argument of it, in the caller's setting.

        Args:
            precision: The precision that they are in.
            equal: Tables to be replaced, in float64; others of the same numbers are too.
        """
        if precision not in self._constants:
            self._constants[precision] = self._compiled(precision, self.closed.consts)
        constants = self._constants[precision]
        return [replaced(array, equal) for array in constants] if equal and precision == "float64" else constants

    def _compiled(self, precision: Precision, values: Sequence[Any]) -> list[Any]:
        """What the program makes of these arrays, which it was traced with, before it gets its arguments."""
        plan = Plan(precision == "float64")
        read = [constant(value, plan) for value in values]
        if not self._parts.tables.eqns:
            return evaluate_with(self._parts.tables, read, (), plan)
        run = jax.jit(lambda read: evaluate_with(self._parts.tables, read, (), plan), compiler_options=run_once())
        return list(run(read))

    def inline_constants(self) -> list[Any]:
        """The same in float64, as a part of a program that is being traced."""
        read = [constant(value, Plan()) for value in self.closed.consts]
        return evaluate_with(self._parts.tables, read, (), Plan())

    def tables(self) -> list[Table]:
        """Its floating tables in float64, in the caller's setting, with what rounding of what it was traced with to
        float32 makes of them."""
        constants, moved = self.constants("float64"), self._compiled("float64", [nudged(c) for c in self.closed.consts])
        every = zip(constants, moved, self._parts.places, strict=True)
        return [Table(np.asarray(a), np.asarray(b), place or "") for a, b, place in every if is_table(a)]

    def widened(self, equal: Sequence[EqualTables] = ()) -> tuple[Any, list[Any]]:
        """The program and its constants in float64, in the caller's setting: as it was traced, or without what makes
        its tables where these are to be replaced."""
        if equal:
            return self._parts.rest, self.constants("float64", equal)
        return self.closed.jaxpr, [constant(value, Plan()) for value in self.closed.consts]

    def structured(self, results: Sequence[Any]) -> Any:
        """The tree of its results, with these in their place."""
        return jax.tree.unflatten(self._structure, results)

    def once(self, results: Any) -> list[Any]:
        """The leaves of a tree of its results, each value once: what one layer gives, another one gets."""
        leaves = jax.tree.leaves(results)
        return [leaves[place] for place in self._first]

    def repeated(self, values: Sequence[Any]) -> Any:
        """The tree of its results, with what `once` gave of it."""
        return self.structured([values[number] for number in self._which])

    def __call__(self, plan: Plan, constants: Sequence[Any], *arguments: Any) -> Any:
        """What it gives for other arrays, which may be traced."""
        results = evaluate_with(self._parts.rest, constants, jax.tree.leaves(arguments), plan)
        return jax.tree.unflatten(self._structure, results)

    def compiled(self, plan: Plan, equal: Sequence[EqualTables] = ()) -> Callable[..., Any]:
        """The same as a program of arrays of the plan's precision, with those tables replaced."""
        precision: Precision = "float64" if plan.wide else "float32"
        with setting(precision):
            constants = self.constants(precision, equal)
        program = jax.jit(lambda constants, *arguments: self(plan, constants, *arguments), compiler_options=run_once())

        def run(*arguments: Any) -> Any:
            with setting(precision):
                return program(constants, *arguments)

        return run


def types_of(tree: Any) -> Any:
    """Shapes and types of a tree's arrays where a user's program gets them."""
    return jax.tree.map(lambda leaf: Type(leaf.shape, narrow(leaf.dtype)), tree)


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as its user runs it, evaluated in float64.

    Args:
        function: a function that takes trees of arrays; it is traced with float32 ones where it is given float64 ones.
    """

    def run(*arguments: Any) -> Any:
        traced = Traced(function, *types_of(arguments))
        return traced(Plan(), traced.inline_constants(), *arguments)

    return run
