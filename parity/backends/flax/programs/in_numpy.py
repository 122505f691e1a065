"""Equations of JAX's computed by NumPy in float64: nothing is compiled, so that many variants can be tried.

What is not here is computed by JAX.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.tracing.written import wide

Rule = Callable[[Sequence[NDArray], Mapping[str, Any]], Any]


def computed(equation: Any, values: Sequence[NDArray]) -> list[NDArray] | None:
    """Results of an equation; None if it is none of these.

    Args:
        equation: the equation.
        values: its operands.
    """
    rule = RULES.get(equation.primitive.name)
    if rule is None or any(isinstance(v, np.ndarray) and v.dtype.kind not in "fiub" for v in values):
        return None
    with np.errstate(all="ignore"):
        results = rule(values, equation.params)
    listed = results if isinstance(results, list) else [results]
    pairs = zip(listed, equation.outvars, strict=True)
    return [np.asarray(r, wide(variable.aval.dtype)) for r, variable in pairs]


def _each(function: Callable[..., Any]) -> Rule:
    return lambda values, params: function(*values)


def _reduced(function: Callable[..., Any]) -> Rule:
    return lambda values, params: function(values[0], axis=tuple(params["axes"]))


def _special(name: str) -> Rule:
    def rule(values: Sequence[NDArray], params: Mapping[str, Any]) -> Any:
        from scipy import special  # few checks come to need it

        return getattr(special, name)(*values)

    return rule


def _broadcast(values: Sequence[NDArray], params: Mapping[str, Any]) -> NDArray:
    shape = [1] * len(params["shape"])
    for axis, place in enumerate(params["broadcast_dimensions"]):
        shape[place] = values[0].shape[axis]
    return np.broadcast_to(values[0].reshape(shape), params["shape"])


def _dot(values: Sequence[NDArray], params: Mapping[str, Any]) -> NDArray:
    (summed, their_summed), (batch, their_batch) = params["dimension_numbers"]
    a, b = values
    ours, theirs = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip((*summed, *batch), (*their_summed, *their_batch), strict=True):
        theirs[j] = ours[i]
    rest = [n for axis, n in enumerate(ours) if axis not in (*summed, *batch)]
    others = [n for axis, n in enumerate(theirs) if axis not in (*their_summed, *their_batch)]
    return np.einsum(a, ours, b, theirs, [*(ours[i] for i in batch), *rest, *others], optimize=True)


def _split(values: Sequence[NDArray], params: Mapping[str, Any]) -> list[NDArray]:
    return list(np.split(values[0], np.cumsum(params["sizes"])[:-1], params["axis"]))


def _slice(values: Sequence[NDArray], params: Mapping[str, Any]) -> NDArray:
    strides = params["strides"] or [1] * values[0].ndim
    parts = zip(params["start_indices"], params["limit_indices"], strides, strict=True)
    return values[0][tuple(slice(start, stop, step) for start, stop, step in parts)]


def _select(values: Sequence[NDArray], params: Mapping[str, Any]) -> NDArray:
    which, *cases = values
    return np.where(which, cases[1], cases[0]) if len(cases) == 2 else np.choose(which, cases)


def _reshape(values: Sequence[NDArray], params: Mapping[str, Any]) -> NDArray:
    assert params.get("dimensions") is None
    return values[0].reshape(params["new_sizes"])


EACH: Mapping[str, Any] = {
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative,
    "sign": np.sign, "abs": np.abs, "exp": np.exp, "exp2": np.exp2, "log": np.log, "log1p": np.log1p,
    "expm1": np.expm1, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "sqrt": np.sqrt, "square": np.square,
    "pow": np.power, "max": np.maximum, "min": np.minimum, "floor": np.floor, "ceil": np.ceil, "eq": np.equal,
    "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "is_finite": np.isfinite, "rsqrt": lambda x: 1 / np.sqrt(x), "stop_gradient": lambda x: x,
    "copy": lambda x: x, "copy_p": lambda x: x, "clamp": lambda low, x, high: np.clip(x, low, high),
    "convert_element_type": lambda x: x,
}  # fmt: skip
"""Those that take each number by itself, or that leave them as they are."""
RULES: Mapping[str, Rule] = {
    **{name: _each(function) for name, function in EACH.items()},
    "div": lambda v, p: np.divide(*v) if np.result_type(*v).kind == "f" else np.trunc(np.divide(*v)),
    "integer_pow": lambda v, p: v[0] ** p["y"] if p["y"] >= 0 else 1.0 / v[0] ** -p["y"],
    "logistic": _special("expit"),
    "erf": _special("erf"),
    "erfc": _special("erfc"),
    "reduce_sum": _reduced(np.sum),
    "reduce_max": _reduced(np.max),
    "reduce_min": _reduced(np.min),
    "reduce_prod": _reduced(np.prod),
    "reduce_and": _reduced(np.all),
    "reduce_or": _reduced(np.any),
    "reshape": _reshape,
    "transpose": lambda v, p: v[0].transpose(p["permutation"]),
    "squeeze": lambda v, p: v[0].squeeze(tuple(p["dimensions"])),
    "rev": lambda v, p: np.flip(v[0], p["dimensions"]),
    "broadcast_in_dim": lambda v, p: _broadcast(v, p),
    "concatenate": lambda v, p: np.concatenate(v, p["dimension"]),
    "split": _split,
    "slice": _slice,
    "select_n": _select,
    "dot_general": _dot,
    "iota": lambda v, p: np.indices(p["shape"])[p["dimension"]],
}  # fmt: skip
"""Name of a primitive → what it gives of its operands and parameters."""
