"""Calls, loops, branches, and derivatives of the user's own, with bodies that are evaluated in float64."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr

from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.written import inexact, remembering_literals, wide

Evaluate = Callable[[ClosedJaxpr, Sequence[Any], Plan], list[Any]]


def bodies(params: Any) -> Iterator[Jaxpr]:
    """The inner programs among an equation's parameters."""
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, Jaxpr):
                yield item


def closed(body: Any) -> ClosedJaxpr:
    """An inner program with its constants."""
    return body if isinstance(body, ClosedJaxpr) else ClosedJaxpr(body, ())


def widened_params(params: Any, plan: Plan, evaluate: Evaluate) -> dict[str, Any]:
    """An equation's parameters with wider types, and with its inner programs (what a scatter or a reduction does with
    two numbers) traced again in them."""

    def change(value: Any) -> Any:
        if isinstance(value, tuple) and any(isinstance(item, ClosedJaxpr | Jaxpr) for item in value):
            return tuple(map(change, value))
        if isinstance(value, ClosedJaxpr):
            return _again(value, plan, evaluate)
        if isinstance(value, Jaxpr):
            return _again(closed(value), plan, evaluate).jaxpr
        if isinstance(value, jnp.dtype) or (isinstance(value, type) and issubclass(value, jnp.generic)):
            return jnp.dtype(wide(value))
        return jax.lax.Precision.HIGHEST if isinstance(value, jax.lax.DotAlgorithmPreset) else value

    return {name: change(value) for name, value in params.items()}


def _again(program: ClosedJaxpr, plan: Plan, evaluate: Evaluate) -> ClosedJaxpr:
    avals = [jax.ShapeDtypeStruct(aval.shape, wide(aval.dtype)) for aval in program.in_avals]
    return jax.make_jaxpr(lambda *values: evaluate(program, values, plan))(*avals)


def _strong(values: Sequence[Any]) -> list[Any]:
    return [v if jnp.issubdtype(v.dtype, jax.dtypes.extended) else jnp.asarray(v, v.dtype) for v in values]


def _call(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    params = equation.params
    return evaluate(closed(params.get("jaxpr") or params.get("call_jaxpr")), values, plan)


def _scan(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    params = equation.params
    fixed, carried = params["num_consts"], params["num_carry"]
    constants, start, rest = values[:fixed], _strong(values[fixed : fixed + carried]), values[fixed + carried :]

    def body(carry: Any, items: Any) -> tuple[Any, Any]:
        results = evaluate(params["jaxpr"], [*constants, *carry, *items], plan)
        return _carried(results[:carried], carry), results[carried:]

    last, stacked = jax.lax.scan(body, start, rest, params["length"], params["reverse"], params["unroll"])
    return [*last, *stacked]


def _carried(values: Sequence[Any], models: Sequence[Any]) -> list[Any]:
    keys = [jnp.issubdtype(model.dtype, jax.dtypes.extended) for model in models]
    pairs = zip(values, models, keys, strict=True)
    return [value if key else jnp.asarray(value, model.dtype) for value, model, key in pairs]


def _while(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    params = equation.params
    first, second = params["cond_nconsts"], params["body_nconsts"]
    asked, constants, start = values[:first], values[first : first + second], _strong(values[first + second :])

    def goes_on(carry: Any) -> Any:
        return evaluate(params["cond_jaxpr"], [*asked, *carry], plan)[0]

    def body(carry: Any) -> Any:
        return _carried(evaluate(params["body_jaxpr"], [*constants, *carry], plan), carry)

    return jax.lax.while_loop(goes_on, body, start)


def _cond(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    index, *operands = values

    def branch(body: ClosedJaxpr) -> Callable[..., Any]:
        return lambda *operands: _strong([jnp.asarray(r) for r in evaluate(body, operands, plan)])

    index = jnp.asarray(index > 0, jnp.int32) if inexact(index.dtype) else index
    return jax.lax.switch(index, [branch(body) for body in equation.params["branches"]], *operands)


def _custom_jvp(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    params = equation.params
    program, skip, rule = params["call_jaxpr"], params["num_consts"], params["jvp_jaxpr_fun"]

    @jax.custom_jvp
    def call(*primals: Any) -> Any:
        return evaluate(program, primals, plan)

    @call.defjvp
    def derivative(primals: Any, tangents: Any) -> Any:
        with as_traced():
            jaxpr, constants, zeros = rule.call_wrapped(*[False] * (len(primals) - skip))
        results = evaluate(ClosedJaxpr(jaxpr, constants), [*primals[skip:], *tangents[skip:]], plan)
        derivatives = iter(results[len(zeros) :])
        pairs = list(zip(results, zeros, strict=False))
        return [r for r, _ in pairs], [_zero(r) if zero else next(derivatives) for r, zero in pairs]

    return call(*values)


def _custom_vjp(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    params = equation.params
    program, skip = params["call_jaxpr"], params["num_consts"]
    kept_types: list[Any] = []

    @jax.custom_vjp
    def call(*primals: Any) -> Any:
        return evaluate(program, primals, plan)

    def forward(*primals: Any) -> Any:
        with as_traced():
            jaxpr, constants = params["fwd_jaxpr_thunk"].call_wrapped(*[True] * (len(primals) - skip))
        results = evaluate(ClosedJaxpr(jaxpr, constants), primals[skip:], plan)
        _, residuals, inputs = params["out_trees"]()
        count = residuals.num_leaves - sum(place is not None for place in inputs)
        rest, types = iter(results[:count]), iter([variable.aval for variable in jaxpr.outvars[:count]])
        kept_types[:] = [next(types) if place is None else program.in_avals[place] for place in inputs]
        return results[count:], [next(rest) if place is None else primals[place] for place in inputs]

    def backward(kept: Any, cotangents: Any) -> Any:
        there: list[bool] = []
        with as_traced():
            pulled = _backward(params["bwd"], kept_types, program.out_avals, there)
        floating = [c for c in cotangents if inexact(c.dtype)]
        gradients = iter(evaluate(pulled, [*kept, *floating], plan))
        return (*[None] * skip, *(next(gradients) if present else None for present in there))

    call.defvjp(forward, backward)
    return call(*values)


def _backward(pull: Any, kept: Sequence[Any], outputs: Sequence[Any], there: list[bool]) -> ClosedJaxpr:
    """The user's rule as a program of what was kept and the floating cotangents; `there` is filled with which of the
    inputs get a gradient."""
    floating = [aval for aval in outputs if inexact(aval.dtype)]

    def run(*values: Any) -> list[Any]:
        rest = iter(values[len(kept) :])
        cotangents = [next(rest) if inexact(a.dtype) else np.zeros(a.shape, jax.dtypes.float0) for a in outputs]
        gradients = pull.call_wrapped(*values[: len(kept)], *cotangents)
        there[:] = [isinstance(g, jax.Array | np.ndarray) and g.dtype != jax.dtypes.float0 for g in gradients]
        return [gradient for gradient, present in zip(gradients, there, strict=True) if present]

    return jax.make_jaxpr(run)(*(jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in (*kept, *floating)))


def _zero(value: Any) -> Any:
    return jnp.zeros_like(value) if inexact(value.dtype) else np.zeros(value.shape, jax.dtypes.float0)


@contextmanager
def as_traced() -> Iterator[None]:
    """The mode in which users run their programs."""
    with jax.enable_x64(False), remembering_literals():
        yield


def _linear_solve(equation: Any, values: list[Any], plan: Plan, evaluate: Evaluate) -> Sequence[Any]:
    """With the same inner programs; the transposed one is there if it was."""
    programs, counts = equation.params["jaxprs"], equation.params["const_lengths"]
    rest = iter(values)
    constants = [[next(rest) for _ in range(count)] for count in counts]
    target = list(rest)

    def run(place: int) -> Any:
        body = programs[place]
        return lambda *args: list(evaluate(closed(body), [*constants[place], *args[-1]], plan))

    transposed = None if programs.transpose_solve is None else run(3)
    return jax.lax.custom_linear_solve(run(0), target, run(2), transposed)


RULES: dict[str, Callable[..., Sequence[Any]]] = {
    **dict.fromkeys(("jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2"), _call),
    "scan": _scan,
    "while": _while,
    "cond": _cond,
    "custom_jvp_call": _custom_jvp,
    "custom_vjp_call": _custom_vjp,
    "custom_linear_solve": _linear_solve,
}
