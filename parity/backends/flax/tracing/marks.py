"""Places in a traced program that are filled in when it is evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive

from parity.interface.observation import Noise

TAP = Primitive("parity_tap")
"""Its argument; what is added to it there has the gradient of it. Told by its number."""
MASK = Primitive("parity_mask")
"""What the n-th use of dropout is multiplied with, of that shape and type."""
MEAN = Primitive("parity_mean")
"""Truth values of that shape that are true with a probability."""
NOISE = Primitive("parity_noise")
"""A draw of random numbers; its arguments and "equation" are those of the original one, "number" is its place among the
draws of the program, "drawn" says what it draws."""
TAP.def_abstract_eval(lambda aval, number: aval)
MASK.def_abstract_eval(lambda number, shape, dtype: ShapedArray(shape, dtype))
MEAN.def_abstract_eval(lambda chance, shape: ShapedArray(shape, jnp.dtype(bool)))
MARKS = frozenset({TAP.name, MASK.name, MEAN.name, NOISE.name})
BERNOULLI = "_bernoulli"
"""Name of the program of `jax.random.bernoulli`."""


def tap(array: jax.Array, number: int) -> jax.Array:
    """The array, with a place to add something to it."""
    return TAP.bind(array, number=number)


def mask_place(number: int, shape: Sequence[int], dtype: Any) -> jax.Array:
    """A place for the mask of the n-th use of dropout."""
    return MASK.bind(number=number, shape=tuple(shape), dtype=jnp.dtype(dtype))


def mean_place(chance: float, shape: Sequence[int]) -> jax.Array:
    """A place for the mean of truth values that are drawn."""
    return MEAN.bind(chance=float(chance), shape=tuple(shape))


@dataclass(frozen=True)
class Plan:
    """How a traced program is evaluated.

    Args:
        wide: whether it is computed in float64 and complex128; else it is in the types that it was traced in.
        added: number of a tap → what is added there.
        masks: what each use of dropout is multiplied with.
        means: every truth value that the program draws is its mean, a number between 0 and 1, so that dropout, which is
            linear in it, is off.
        noise: the numbers of the program's draws; None lets it draw them.
    """

    wide: bool = True
    added: Mapping[int, Any] = field(default_factory=dict)
    masks: Sequence[Any] = ()
    means: bool = False
    noise: Noise | None = None
