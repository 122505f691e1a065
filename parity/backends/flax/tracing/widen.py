"""Evaluates a program, which was traced as its user runs it, in float64.

Floating types become float64 and complex ones complex128, whole numbers and truth values stay; literals are read as
they were written; a cast to a narrower type does nothing. Inner programs (calls, loops, branches, derivatives of the
user's own) are evaluated in the same way, so that gradients through them are those of the user's program.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.extend.source_info_util import user_context

from parity.backends.flax.tracing import marks, widen_bodies
from parity.backends.flax.tracing.convolutions import convolved
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.noise import noise_rule
from parity.backends.flax.tracing.written import inexact, wide, widened_literal

NARROW_ONLY = frozenset({"pure_callback", "io_callback", "ffi_call", "pallas_call", "shard_map", "xla_pmap"})
"""Primitives that cannot be evaluated in another type than the one they were traced in."""
NARROW_DRAWS = frozenset({"random_gamma", "rng_uniform"})
"""Draw other numbers in another type."""
CONVOLUTION = "conv_general_dilated"
"""JAX's primitive of convolutions of all kinds."""


def evaluate(closed: ClosedJaxpr, arguments: Sequence[Any], plan: Plan) -> list[Any]:
    """Results of a traced program.

    Args:
        closed: the program.
        arguments: arrays; for floating ones of the program float64 ones, if the plan is wide.
        plan: how it is evaluated.
    """
    return evaluate_with(closed.jaxpr, [constant(c, plan) for c in closed.consts], arguments, plan)


def evaluate_with(jaxpr: Jaxpr | Any, constants: Sequence[Any], arguments: Sequence[Any], plan: Plan) -> list[Any]:
    """Results of a traced program, as `evaluate` gives them, whose constants have been read already."""
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
    values |= zip(jaxpr.invars, arguments, strict=True)

    def read(variable: Any) -> Any:
        return literal(variable, plan) if isinstance(variable, Literal) else values[variable]

    for equation in jaxpr.eqns:
        info = equation.source_info
        with user_context(info.traceback, name_stack=info.name_stack):  # what is evaluated keeps the user's lines
            results = apply(equation, [read(variable) for variable in equation.invars], plan)
        values |= zip(equation.outvars, results, strict=True)
    return [read(variable) for variable in jaxpr.outvars]


def constant(value: Any, plan: Plan) -> Any:
    """A constant of a program in the types of the plan."""
    dtype = getattr(value, "dtype", None)
    return widened_literal(value, dtype) if plan.wide and dtype is not None and inexact(dtype) else value


def literal(variable: Any, plan: Plan) -> Any:
    """A number that is written in a program, in the types of the plan."""
    dtype = variable.aval.dtype
    return widened_literal(variable.val, dtype) if plan.wide else jnp.asarray(variable.val, dtype)


def apply(equation: Any, values: list[Any], plan: Plan) -> Sequence[Any]:
    """Results of one equation for these operands."""
    name = equation.primitive.name
    if name == "debug_callback":
        return []
    if plan.means and name in ("jit", "pjit") and equation.params.get("name") == marks.BERNOULLI:
        shape = equation.outvars[0].aval.shape
        return [jnp.broadcast_to(jnp.asarray(values[-1], _real(plan)), shape)]
    if not _touched(equation, values, plan):
        return bound(equation, values, equation.params)
    if rule := RULES.get(name) or widen_bodies.RULES.get(name):
        return rule(equation, values, plan, evaluate)
    if name in NARROW_ONLY | NARROW_DRAWS:
        return _narrowly(equation, values, plan)
    values = [_hard(v, variable) for v, variable in zip(values, equation.invars, strict=True)]
    if not plan.wide:
        return bound(equation, values, equation.params)
    params = widen_bodies.widened_params(equation.params, plan, evaluate)
    if name == CONVOLUTION and inexact(values[0].dtype):
        return [convolved(values[0], values[1], params)]
    return bound(equation, values, params)


def _real(plan: Plan) -> Any:
    return jnp.float64 if plan.wide else jnp.float32


def _touched(equation: Any, values: Sequence[Any], plan: Plan) -> bool:
    """Whether an equation cannot be bound as it is."""
    if any(_changed(value, variable.aval) for value, variable in zip(values, equation.invars, strict=True)):
        return True
    if equation.primitive.name in marks.MARKS:
        return True
    if plan.wide and any(_narrow(variable.aval) for variable in equation.outvars):
        return True
    return any(_inside(jaxpr, plan.wide, plan.means) for jaxpr in widen_bodies.bodies(equation.params))


def _changed(value: Any, aval: Any) -> bool:
    return hasattr(aval, "dtype") and getattr(value, "dtype", aval.dtype) != aval.dtype


def _narrow(aval: Any) -> bool:
    dtype = getattr(aval, "dtype", None)
    return dtype is not None and inexact(dtype) and dtype != wide(dtype)


@cache
def _inside(jaxpr: Jaxpr, wider: bool, means: bool) -> bool:
    """Whether an inner program cannot be bound as it is."""
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if (
            name in marks.MARKS
            or name == "debug_callback"
            or (means and equation.params.get("name") == marks.BERNOULLI)
        ):
            return True
        if wider and any(_narrow(variable.aval) for variable in (*equation.invars, *equation.outvars)):
            return True
        if any(_inside(inner, wider, means) for inner in widen_bodies.bodies(equation.params)):
            return True
    return False


def bound(equation: Any, values: Sequence[Any], params: Any) -> Sequence[Any]:
    """Results of an equation's primitive for other values and parameters."""
    bound_params = equation.primitive.get_bind_params(params)  # jax before 0.10 puts functions before them
    functions, keywords = bound_params if isinstance(bound_params, tuple) else ((), bound_params)
    results = equation.primitive.bind(*functions, *values, **keywords)
    return results if equation.primitive.multiple_results else [results]


def _narrowly(equation: Any, values: Sequence[Any], plan: Plan) -> Sequence[Any]:
    """Compute an equation in the types of the program; only its results are widened, if the plan is wide."""
    pairs = zip(values, equation.invars, strict=True)
    narrow = [jnp.asarray(v).astype(variable.aval.dtype) if _changed(v, variable.aval) else v for v, variable in pairs]
    results = bound(equation, narrow, equation.params)
    return [r.astype(wide(r.dtype)) if plan.wide and inexact(r.dtype) else r for r in results]


def _hard(value: Any, variable: Any) -> Any:
    """Truth values, where their mean is of no use: those that are possible are true."""
    soft = variable.aval.dtype == jnp.bool_ and getattr(value, "dtype", jnp.bool_) != jnp.bool_
    return value > 0 if soft else value


def _soft(value: Any, variable: Any) -> bool:
    return variable.aval.dtype == jnp.bool_ and value.dtype != jnp.bool_


def _tap(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    number = equation.params["number"]
    return [values[0] + plan.added[number].astype(values[0].dtype)] if number in plan.added else values


def _mask(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    del values
    mask, dtype = plan.masks[equation.params["number"]], equation.params["dtype"]
    if dtype == jnp.bool_:
        return [mask > 0]
    return [mask.astype(wide(dtype) if plan.wide else dtype)]


def _mean(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    del values
    return [jnp.full(equation.params["shape"], equation.params["chance"], _real(plan))]


def _convert(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    dtype, value = equation.params["new_dtype"], jnp.asarray(values[0])
    if _soft(value, equation.invars[0]) and not inexact(dtype):
        return [value]
    return [jax.lax.convert_element_type(value, wide(dtype) if plan.wide else dtype)]


def _reduce_precision(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    return values if plan.wide else bound(equation, values, equation.params)


def _bitcast(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    """Bits are those of the type in the program."""
    return _narrowly(equation, values, plan)


def _select(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    """Choose between cases. A mean of truth values gives the mean of what they choose, unless that is whole numbers."""
    which, *cases = values
    if any(_soft(c, v) for c, v in zip(cases, equation.invars[1:], strict=True)):
        cases = [jnp.asarray(case, _real(plan)) for case in cases]
    if not _soft(which, equation.invars[0]):
        return bound(equation, [which, *cases], equation.params)
    if not inexact(cases[0].dtype) and equation.outvars[0].aval.dtype != jnp.bool_:
        return bound(equation, [which > 0, *cases], equation.params)
    chance = which.astype(jnp.asarray(cases[0]).dtype) if inexact(cases[0].dtype) else which
    return [(1 - chance) * cases[0] + chance * cases[1]]


def _logical(combine: Callable[..., Any]) -> Any:
    def rule(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
        if equation.outvars[0].aval.dtype != jnp.bool_:
            return bound(equation, values, equation.params)
        return [combine(*(jnp.asarray(value, _real(plan)) for value in values))]

    return rule


def _moved(equation: Any, values: list[Any], plan: Plan, _: Any) -> Sequence[Any]:
    """Moves numbers and truth values whatever they are."""
    del plan
    return bound(equation, values, equation.params)


RULES: dict[str, Callable[..., Sequence[Any]]] = {
    marks.TAP.name: _tap,
    marks.MASK.name: _mask,
    marks.MEAN.name: _mean,
    marks.NOISE.name: noise_rule(apply),
    "convert_element_type": _convert,
    "reduce_precision": _reduce_precision,
    "bitcast_convert_type": _bitcast,
    "select_n": _select,
    "not": _logical(lambda a: 1 - a),
    "and": _logical(lambda a, b: a * b),
    "or": _logical(lambda a, b: 1 - (1 - a) * (1 - b)),
    **dict.fromkeys(("broadcast_in_dim", "reshape", "transpose", "squeeze", "slice", "copy", "copy_p", "rev"), _moved),
}
