"""Dropout of attention weights, which Flax's functions draw themselves, taken over."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from flax.linen import attention as linen_attention
from flax.nnx.nn import attention as nnx_attention

from parity.backends.flax.tape import Tape

MODULES: tuple[Any, ...] = (linen_attention, nnx_attention)
"""Whose `random` draws the masks, by `bernoulli`."""


class _Random:
    """`jax.random` but for `bernoulli`, which gives what the tape says."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        return getattr(jax.random, name)

    def bernoulli(self, key: Any, p: float, shape: tuple[int, ...]) -> jax.Array:
        """Where attention weights are kept."""
        return self._tape.kept(key, p, shape)


@contextmanager
def attention_dropout(tape: Tape) -> Iterator[None]:
    """Let the tape say which attention weights are dropped, if it has masks; else attention drops nothing out."""
    originals = [module.random for module in MODULES]
    try:
        for module in MODULES if tape.mask is not None else ():
            module.random = _Random(tape)
        yield
    finally:
        for module, original in zip(MODULES, originals, strict=True):
            module.random = original
