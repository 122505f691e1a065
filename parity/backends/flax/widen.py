"""Undoes hard casts to a narrower floating type inside a traced function, so that it can be ruled on in float64.

`jax.nn.dot_product_attention`, for one, computes its softmax in float32 whatever it is given.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

NARROW = (jnp.float32, jnp.float16, jnp.bfloat16)
CONVERT, ROUND = "convert_element_type", "reduce_precision"
CUBIC = 0.044715
"""Factor of the cube in the tanh form of GELU (Hendrycks and Gimpel, 2016)."""
NEAR = 1e-8
"""As near to it as float32 is."""
LIBRARIES = ("site-packages", "dist-packages")


def casts(jaxpr: Jaxpr) -> Iterator[str]:
    """Where a float64 number is cast to a narrower type, as "file:line"."""
    for equation in jaxpr.eqns:
        narrow = equation.primitive.name == CONVERT and _narrow(equation.params["new_dtype"])
        if narrow and getattr(equation.invars[0].aval, "dtype", None) == jnp.float64:
            yield _where(equation)
        for inner in _inner(equation):
            yield from casts(inner.jaxpr)


def gelus(jaxpr: Jaxpr) -> Iterator[str]:
    """Form of every GELU, "tanh" or "exact", told by the cubic's factor and by the error function."""
    for equation in jaxpr.eqns:
        name, factors = equation.primitive.name, [v.val for v in equation.invars if isinstance(v, Literal)]
        if name == "mul" and any(abs(complex(factor) - CUBIC) < NEAR for factor in factors if jnp.ndim(factor) == 0):
            yield "tanh"
        elif name in ("erf", "erfc"):
            yield "exact"
        for inner in _inner(equation):
            yield from gelus(inner.jaxpr)


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with every narrower floating type in it replaced by float64."""

    def run(*args: Any) -> Any:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
        results = _evaluate(closed, jax.tree.leaves(args))
        return jax.tree.unflatten(jax.tree.structure(shape), results)

    return run


def _narrow(dtype: Any) -> bool:
    return any(dtype == narrow for narrow in NARROW)


def _where(equation: Any) -> str:
    """The innermost line that is not a library's, else the innermost of all."""
    frames = getattr(equation.source_info.traceback, "frames", [])
    own = [frame for frame in frames if not any(library in frame.file_name for library in LIBRARIES)]
    return next((f"{Path(f.file_name).name}:{f.line_num}" for f in [*own, *frames]), "an unknown place")


def _inner(equation: Any) -> list[ClosedJaxpr]:
    """Closed jaxprs among an equation's parameters."""
    values = [v for value in equation.params.values() for v in (value if isinstance(value, tuple) else (value,))]
    found = [value for value in values if isinstance(value, ClosedJaxpr)]
    return found + [ClosedJaxpr(value, ()) for value in values if isinstance(value, Jaxpr) and not value.constvars]


def _wide(value: Any) -> Any:
    return jnp.asarray(value, jnp.float64) if hasattr(value, "dtype") and _narrow(value.dtype) else value


def _evaluate(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    known = dict(zip(closed.jaxpr.constvars, map(_wide, closed.consts), strict=True))
    known |= dict(zip(closed.jaxpr.invars, map(_wide, args), strict=True))
    for equation in closed.jaxpr.eqns:
        values = [_wide(v.val) if isinstance(v, Literal) else known[v] for v in equation.invars]
        known |= dict(zip(equation.outvars, _apply(equation, values), strict=True))
    return [_wide(v.val) if isinstance(v, Literal) else known[v] for v in closed.jaxpr.outvars]


def _apply(equation: Any, values: list[Any]) -> Sequence[Any]:
    name, params = equation.primitive.name, equation.params
    if name == ROUND:
        return values
    if name == CONVERT and _narrow(params["new_dtype"]):
        return [jax.lax.convert_element_type(values[0], jnp.float64)]
    inner = _inner(equation)
    expected = [v.aval.dtype for v in equation.invars]
    changed = [str(d) for d in expected] != [str(getattr(v, "dtype", d)) for v, d in zip(values, expected, strict=True)]
    if inner and (changed or any(_any_narrow(one.jaxpr) for one in inner)):
        return _again(equation, inner, values)
    wide = {key: jnp.dtype(jnp.float64) if _is_dtype(v) and _narrow(v) else v for key, v in params.items()}
    bound = equation.primitive.get_bind_params(wide)
    functions, bound = bound if isinstance(bound, tuple) else ((), bound)  # jax before and from 0.10
    found = equation.primitive.bind(*functions, *values, **bound)
    return found if equation.primitive.multiple_results else [found]


def _again(equation: Any, inner: list[ClosedJaxpr], values: list[Any]) -> Sequence[Any]:
    """A call, a loop or a branch with another body."""
    name, params = equation.primitive.name, equation.params
    if name == "scan":
        fixed, carried = params["num_consts"], params["num_carry"]
        consts, start, rest = values[:fixed], values[fixed : fixed + carried], values[fixed + carried :]

        def body(carry: Any, xs: Any) -> tuple[Any, Any]:
            found = _evaluate(inner[0], [*consts, *carry, *xs])
            return found[:carried], found[carried:]

        last, stacked = jax.lax.scan(body, start, rest, params["length"], params["reverse"])
        return [*last, *stacked]
    if name == "cond":
        return jax.lax.switch(values[0], [lambda *ops, one=one: _evaluate(one, ops) for one in inner], *values[1:])
    if name == "while":
        raise NotImplementedError("a while loop casts to a narrower type inside")
    return _evaluate(inner[0], values)


def _any_narrow(jaxpr: Jaxpr) -> bool:
    variables = [v for equation in jaxpr.eqns for v in equation.outvars]
    return any(_narrow(getattr(v.aval, "dtype", None)) for v in variables) or any(
        _any_narrow(one.jaxpr) for equation in jaxpr.eqns for one in _inner(equation)
    )


def _is_dtype(value: Any) -> bool:
    return isinstance(value, jnp.dtype) or (isinstance(value, type) and issubclass(value, jnp.generic))
