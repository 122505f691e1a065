"""Finds the draws of random numbers in a traced program, and gives them other numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from parity.backends.flax.tracing import marks
from parity.backends.flax.tracing.marks import Plan
from parity.interface.observation import DrawKind, Drawn

PROGRAMS: dict[str, DrawKind] = {
    "_uniform": "uniform",
    "_normal": "normal",
    "_exponential": "exponential",
    "_gumbel": "gumbel",
}
"""Name of each of `jax.random`'s programs that is taken over, with what it draws."""


def drawn_by(equation: Any) -> Drawn | None:
    """What an equation draws, if it is one of `jax.random`'s programs that are taken over, on a key."""
    kind = PROGRAMS.get(equation.params.get("name", ""))
    if kind is None or not equation.invars or len(equation.outvars) != 1:
        return None
    dtype = getattr(equation.invars[0].aval, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return None
    return Drawn(kind, tuple(equation.outvars[0].aval.shape))


def marked(equation: Any, number: int, drawn: Drawn) -> Any:
    """The equation of a draw as the n-th place of the program that may get other numbers."""
    return equation.replace(primitive=marks.NOISE, params={"equation": equation, "number": number, "drawn": drawn})


def noise_rule(apply: Callable[[Any, list[Any], Plan], Sequence[Any]]) -> Callable[..., Sequence[Any]]:
    """The rule that evaluates such a place.

    Args:
        apply: Evaluates an equation, for draws that the plan leaves to the program.
    """

    def rule(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
        params = equation.params
        if plan.noise is None:
            return apply(params["equation"], values, plan)
        dtype = jnp.float64 if plan.wide else params["equation"].outvars[0].aval.dtype
        array = jnp.asarray(plan.noise(params["number"], params["drawn"]), dtype)
        if params["drawn"].kind != "uniform":
            return [array]
        low, high = (jnp.asarray(value, dtype) for value in values[1:])
        return [low + array * (high - low)]

    return rule
