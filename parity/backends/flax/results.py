"""What a Flax network returns: its leaves, and whether they are the same in two calls."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, jaxprs_in_params
from jax.interpreters import partial_eval

from parity.backends.flax.inputs import Leaves, loss_of
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.tape import floats
from parity.checks.referee import repeats
from parity.interface.observation import Leaf, LeafKind
from parity.interface.side import Pass
from parity.interface.tree import leaves, returned_leaves
from parity.interface.user_code import NOT_USERS

NUMBERS = (np.ndarray, np.generic, bool, int, float, complex)
DRAWS = "random_bits"
"""The primitive that every draw of JAX's random numbers comes to."""


def flattened(result: Any) -> dict[str, jax.Array]:
    """The arrays and numbers among the leaves of a result, by name; a complex one as its two parts."""
    arrays: dict[str, jax.Array] = {}
    for name, leaf in leaves(result):
        if not _is_numeric(leaf):
            continue
        array = jnp.asarray(leaf)
        parts = {".real": array.real, ".imag": array.imag} if jnp.iscomplexobj(array) else {"": array}
        arrays |= {name + suffix: part for suffix, part in parts.items()}
    return arrays


def ends_of(result: Any, how: Pass, targets: Any) -> Leaves:
    """What is differentiated: the loss, or the floating leaves of the result."""
    if how.objective is not None:
        return [loss_of(how.objective, result, targets)]
    return [leaf for leaf in flattened(result).values() if floats(leaf)]


def described(result: Any) -> dict[str, Leaf]:
    """All leaves of a result, by name: those that `flattened` gives, and what is no array."""
    arrays = {name: Leaf(_kind(array), array.shape) for name, array in flattened(result).items()}
    rest = {
        name: Leaf("other", (), type(leaf).__name__) for name, leaf in returned_leaves(result) if not _is_numeric(leaf)
    }
    return arrays | rest


def _is_numeric(leaf: Any) -> bool:
    if isinstance(leaf, jax.Array):
        return not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return isinstance(leaf, NUMBERS) and np.asarray(leaf).dtype.kind in "biufc"


def _kind(array: jax.Array) -> LeafKind:
    if floats(array):
        return "floating"
    return "truth" if array.dtype == jnp.bool_ else "whole"


def places_of_draws(traced: Traced, plan: Plan, *args: Any) -> tuple[str, ...]:
    """Where a function draws the random numbers that change its result; nothing, if two calls agree.

    Args:
        traced: a function of the number of the draw, from which its keys are made, and of the other arguments; it gives
            arrays.
        plan: how it is evaluated, in float32.
        *args: those others.
    """
    program = traced.closed.jaxpr
    jaxpr, used = partial_eval.dce_jaxpr(program, [True] * len(program.outvars))
    if not used[0]:
        return ()
    run = traced.compiled(plan)
    first, second = (_arrays(run(np.asarray(number, np.uint32), *args)) for number in (1, 2))
    if all(map(repeats, first, second)):
        return ()
    return tuple(dict.fromkeys(_draws(jaxpr))) or ("a place that is not known",)


def _arrays(results: Sequence[jax.Array]) -> list[np.ndarray]:
    return [np.asarray(a.astype(jnp.float32) if floats(a) else a) for a in results]


def _draws(jaxpr: Jaxpr) -> Iterator[str]:
    """The user's lines of the draws. What is compiled by itself was traced when it was called first: where it is called
    now is the line."""
    for equation in jaxpr.eqns:
        inside = [place for inner in jaxprs_in_params(equation.params) for place in _draws(inner)]
        if equation.primitive.name == DRAWS or (equation.primitive.name == "jit" and inside):
            yield _line(equation)
        else:
            yield from inside


def _line(equation: Any) -> str:
    frames = getattr(equation.source_info.traceback, "frames", [])
    users = [frame for frame in frames if not NOT_USERS & set(Path(frame.file_name).parents)]
    return next((f"{Path(f.file_name).name} line {f.line_num}" for f in [*users, *frames]), "a place that is not known")
