"""What a traced program has in it, and the user's lines where it is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, Literal

from parity.backends.flax.tracing import tape, written
from parity.backends.flax.tracing.widen import NARROW_ONLY
from parity.backends.flax.tracing.widen_bodies import bodies
from parity.backends.flax.tracing.written import inexact
from parity.interface.observation import Cast

CUBIC = 0.044715
"""Factor of the cube in the tanh form of GELU (Hendrycks and Gimpel, 2016)."""
NEAR = 1e-8
"""As near to it as float32 is."""
FRAMEWORKS = ("jax", "jaxlib", "flax", "optax", "numpy")
OURS = str(Path(__file__).parents[3])
NETWORKS = str(Path(OURS, "bugs"))
"""A room of ours that holds networks, with planted bugs."""
SHIFTS = ("shift_right_logical", "shift_right_arithmetic")
ROUNDED = {(8, 7): "bfloat16", (5, 10): "float16", (8, 23): "float32"}
"""Binary digits of exponent and mantissa → type."""


def equations(jaxpr: Jaxpr) -> Iterator[Any]:
    """Those of a program and of all within it, outer ones first."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in bodies(equation.params):
            yield from equations(inner)


def casts(jaxpr: Jaxpr) -> Iterator[Cast]:
    """Where a number is cast to a narrower type on a line of the user's."""
    for equation in equations(jaxpr):
        dtype = _narrowed(equation)
        place = dtype and place_of(equation)
        if dtype and place:
            yield Cast(dtype, place)


def _narrowed(equation: Any) -> str | None:
    """Name of the narrower type that an equation casts to."""
    name, params = equation.primitive.name, equation.params
    if name == "reduce_precision":
        digits = params["exponent_bits"], params["mantissa_bits"]
        narrower = digits[1] < jnp.finfo(equation.invars[0].aval.dtype).nmant
        return ROUNDED.get(digits, f"{digits[1]} bits") if narrower else None
    if name != "convert_element_type" or not inexact(params["new_dtype"]):
        return None
    source, target = equation.invars[0].aval.dtype, jnp.dtype(params["new_dtype"])
    narrower = inexact(source) and target.itemsize < source.itemsize
    real = jnp.issubdtype(source, jnp.complexfloating) and jnp.issubdtype(target, jnp.floating)
    return target.name if narrower and not (real and 2 * target.itemsize >= source.itemsize) else None


def unwidened(jaxpr: Jaxpr) -> Iterator[str]:
    """Places that are computed in the types of the program whatever is asked for, with what is there."""
    for equation in equations(jaxpr):
        name = equation.primitive.name
        bits = name == "bitcast_convert_type" and inexact(equation.invars[0].aval.dtype)
        if name in NARROW_ONLY or (bits and not _only_signs(jaxpr, equation)):
            yield f"{name} at {place_of(equation) or 'an unknown line'}"


def _only_signs(jaxpr: Jaxpr, cast: Any) -> bool:
    """Whether of the bits only the first one is used, which every type has."""
    users = [e for e in equations(jaxpr) if any(v is cast.outvars[0] for v in e.invars)]
    last = cast.outvars[0].aval.dtype.itemsize * 8 - 1
    return bool(users) and all(
        e.primitive.name in SHIFTS and isinstance(e.invars[1], Literal) and e.invars[1].val == last for e in users
    )


def gelus(jaxpr: Jaxpr) -> Iterator[str]:
    """Form of every GELU, "tanh" or "exact", told by the cubic's factor and by the error function."""
    for equation in equations(jaxpr):
        name, literals = equation.primitive.name, [v for v in equation.invars if isinstance(v, Literal)]
        numbers = [np.asarray(literal.val) for literal in literals]
        factors = [number for number in numbers if number.ndim == 0 and jnp.issubdtype(number.dtype, jnp.floating)]
        if name == "mul" and any(abs(float(factor) - CUBIC) < NEAR for factor in factors):
            yield "tanh"
        elif name in ("erf", "erfc"):
            yield "exact"


def place_of(equation: Any) -> str | None:
    """The user's line that an equation comes from, as "file:line": the innermost one of the network that is none of the
    frameworks'. None where the tool itself made it, or no such line is there."""
    every = getattr(equation.source_info.traceback, "frames", [])
    frames = [f for f in every if not _within(f.file_name, "jax") and f.file_name != written.__file__]
    if not frames or _ours(frames[0].file_name):
        return None
    for frame in frames:
        if frame.file_name == tape.__file__:
            continue
        if _ours(frame.file_name):
            return None
        if not any(_within(frame.file_name, name) for name in FRAMEWORKS) and not frame.file_name.startswith("<"):
            return f"{Path(frame.file_name).name}:{frame.line_num}"
    return None


def _ours(path: str) -> bool:
    return path.startswith(OURS) and not path.startswith(NETWORKS)


def _within(path: str, package: str) -> bool:
    return f"site-packages/{package}/" in path or f"dist-packages/{package}/" in path
