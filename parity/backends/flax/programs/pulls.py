"""How gradients go back through an equation of JAX's."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.widen import apply, evaluate
from parity.backends.flax.tracing.widen_bodies import closed
from parity.interface.programs.operations import Operation
from parity.interface.programs.program import Linear, Pull

Written = tuple[Operation, Any, tuple[Any, ...]]
Forward = Callable[..., Sequence[Any]]


class _Back:
    """The transposed derivative of a function at fixed numbers; it is derived when it is first needed."""

    def __init__(self, function: Forward, values: Sequence[Any]) -> None:
        self._function = function
        self._values = [jnp.asarray(v) if isinstance(v, np.ndarray) else v for v in values]

    @cached_property
    def _derived(self) -> tuple[list[int], list[int], list[Any], Any]:
        """Places of the floating operands and results, the floating results, and what pulls back."""
        floats = [place for place, v in enumerate(self._values) if jnp.issubdtype(jnp.asarray(v).dtype, jnp.floating)]
        places: list[int] = []

        def run(*arrays: Any) -> list[Any]:
            values = list(self._values)
            for place, array in zip(floats, arrays, strict=True):
                values[place] = array
            results = list(self._function(*values))
            places[:] = [place for place, r in enumerate(results) if jnp.issubdtype(r.dtype, jnp.floating)]
            return [results[place] for place in places]

        outputs, back = jax.vjp(run, *(jnp.asarray(self._values[place]) for place in floats))
        return floats, places, outputs, back

    def __call__(self, gradients: Sequence[Any]) -> list[Any]:
        floats, places, outputs, back = self._derived
        cotangents = [
            jnp.zeros_like(output) if gradients[place] is None else jnp.asarray(gradients[place], output.dtype)
            for place, output in zip(places, outputs, strict=True)
        ]
        to_operands: list[Any] = [None] * len(self._values)
        for place, gradient in zip(floats, back(cotangents) if cotangents else (), strict=False):
            to_operands[place] = np.asarray(gradient)
        return to_operands


def pulled(number: int, written: Written, values: Sequence[Any], plan: Plan) -> Pull:
    """How gradients go back through an equation.

    Args:
        number: its number.
        written: the operation, its equation, and what that takes: the number of a value, or a literal.
        values: the numbers of all that it takes.
        plan: how equations are evaluated.
    """
    operation, equation, taken = written
    numbered = [place for place, operand in enumerate(taken) if not isinstance(operand, Literal)]

    def only(back: Linear) -> Linear:
        def of_numbered(gradients: Sequence[Any]) -> Sequence[Any]:
            to_operands = back(gradients)
            return [to_operands[place] for place in numbered]

        return of_numbered

    back = only(_Back(lambda *v: apply(equation, list(v), plan), values))
    ends = operation.operands, operation.results, number, number
    name = equation.primitive.name
    if name == "stop_gradient":
        return Pull(*ends, lambda gradients: [None] * len(numbered), lambda gradients: list(gradients), "stopped")
    if name == "custom_vjp_call":
        body = closed(equation.params["call_jaxpr"])
        derivative = only(_Back(lambda *v: evaluate(body, list(v), plan), values))
        source = getattr(body.jaxpr.debug_info, "func_src_info", None) or ""
        return Pull(*ends, back, derivative, "custom", source.partition(" ")[0])
    return Pull(*ends, back, back)
