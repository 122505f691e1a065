"""A function of JAX's, traced once as its user runs it, and evaluated in either precision."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from parity.backends.flax.inputs import Type, setting, tracing
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.widen import constant, evaluate_with
from parity.backends.flax.tracing.written import narrow
from parity.backends.flax.training.programs import RUN_ONCE
from parity.interface.trace import Precision


class Traced:
    """A traced function.

    Args:
        function: a function that takes trees of arrays and gives a tree of arrays.
        types: trees of the shapes and types that it is called with, as `jax.ShapeDtypeStruct`.
    """

    def __init__(self, function: Callable[..., Any], *types: Any) -> None:
        with tracing():
            self.closed, shapes = jax.make_jaxpr(function, return_shape=True)(*types)
        self._structure = jax.tree.structure(shapes)
        self.result_types = shapes

    def constants(self, precision: Precision) -> list[Any]:
        """The arrays that it was traced with."""
        return [constant(value, Plan(precision == "float64")) for value in self.closed.consts]

    def __call__(self, plan: Plan, constants: Sequence[Any], *arguments: Any) -> Any:
        """What it gives for other arrays, which may be traced."""
        results = evaluate_with(self.closed.jaxpr, constants, jax.tree.leaves(arguments), plan)
        return jax.tree.unflatten(self._structure, results)

    def compiled(self, plan: Plan) -> Callable[..., Any]:
        """The same as a program of arrays of the plan's precision."""
        precision: Precision = "float64" if plan.wide else "float32"
        with setting(precision):
            constants = self.constants(precision)
        program = jax.jit(lambda constants, *arguments: self(plan, constants, *arguments), compiler_options=RUN_ONCE)

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
        return traced(Plan(), traced.constants("float64"), *arguments)

    return run
