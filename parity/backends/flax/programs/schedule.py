"""A learning-rate schedule of optax's as equations that can be computed again."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from parity.backends.flax.inputs import setting
from parity.backends.flax.programs.flat import flat
from parity.backends.flax.programs.program import WIDE, FlaxProgram
from parity.backends.flax.traced import Traced, types_of
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.widen import constant
from parity.interface.programs.operations import Values


def schedule_program(schedule: Any, steps: int) -> FlaxProgram:
    """The rates of the first so many steps, as one result, "", of their counts."""
    counts = np.arange(steps, dtype=np.int32)
    traced = Traced(jax.vmap(lambda count: jnp.asarray(schedule(count), jnp.float32)), types_of(counts))
    with setting(WIDE):
        plan = Plan()
        jaxpr, constants = traced.widened()
        flat_program, (argument,), (end,) = flat(jaxpr, constants)
        read = {number: constant(array, plan) for number, array in flat_program.constants.items()}
        arrays = {argument: jnp.asarray(counts), **read}
    if isinstance(end, Literal):
        end = flat_program.new()
        arrays[end] = jnp.full(steps, float("nan"))
    origins = {argument: ("input", "step"), **dict.fromkeys(read, ("constant", ""))}
    return FlaxProgram(flat_program, arrays, origins, [], Values({"": end}, {}), plan)  # type: ignore[arg-type]
