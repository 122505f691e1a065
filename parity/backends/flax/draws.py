"""Truth values that a network draws by `jax.random.bernoulli`, for dropout of its own or of Flax's functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from flax.linen import attention as linen_attention
from flax.nnx.nn import attention as nnx_attention

from parity.backends.flax.tracing.tape import Tape

ATTENTION: tuple[Any, ...] = (linen_attention, nnx_attention)
"""Whose functions draw what attention keeps; without masks that is not noted, as PyTorch's is not."""


@contextmanager
def drawn_dropout(tape: Tape) -> Iterator[None]:
    """Let the tape say what is kept in training. Without masks the evaluated program takes the means instead, which it
    finds by itself unless the tape is unrolled. In evaluation attention keeps the mean, unless dropout is left as it
    is."""
    original, modules = jax.random.bernoulli, [module.random for module in ATTENTION]

    def bernoulli(
        key: Any, p: Any = 0.5, shape: Any = None, *args: Any, noted: bool = True, **kwargs: Any
    ) -> jax.Array:
        if shape is None or not isinstance(p, int | float | np.floating):
            return original(key, p, shape, *args, **kwargs)
        if tape.masked or tape.unrolled:
            return tape.kept(key, float(p), tuple(shape), noted)
        tape.note(float(p), tuple(shape), noted)
        return original(key, p, shape, *args, **kwargs)

    def still(key: Any, p: Any = 0.5, shape: Any = None, *args: Any, **kwargs: Any) -> jax.Array:
        if shape is None or not isinstance(p, int | float | np.floating):
            return original(key, p, shape, *args, **kwargs)
        return tape.kept(key, float(p), tuple(shape), noted=False)

    def quiet(*args: Any, **kwargs: Any) -> jax.Array:
        return bernoulli(*args, noted=tape.masked, **kwargs) if tape.training else still(*args, **kwargs)

    try:
        if tape.training:
            jax.random.bernoulli = bernoulli
        for module in () if tape.leaves else ATTENTION:
            module.random = SimpleNamespace(bernoulli=quiet)
        yield
    finally:
        jax.random.bernoulli = original
        for module, random in zip(ATTENTION, modules, strict=True):
            module.random = random
