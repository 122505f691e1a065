"""Small Flax networks' helpers."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax import nnx
from numpy.typing import NDArray

ROUNDING = 2**12 * np.finfo(np.float64).eps
"""Of numbers about one after a few layers: far above float64's rounding, far below float32's (2⁻²⁴)."""


def numbers(*shape: int, seed: int = 9) -> NDArray[Any]:
    return np.random.default_rng(seed).standard_normal(shape)


def rngs() -> nnx.Rngs:
    return nnx.Rngs(0)


def made(make: Callable[[], Any]) -> Any:
    """A network of NNX with random variables, as `linen`."""
    graph, state = nnx.split(nnx.eval_shape(make))
    flat = [(path, v.replace(_filled(n, v.get_value()))) for n, (path, v) in enumerate(nnx.to_flat_state(state))]
    return nnx.merge(graph, nnx.from_flat_state(flat))


def _filled(number: int, like: Any) -> Any:
    if jax.dtypes.issubdtype(like.dtype, jax.dtypes.prng_key):
        return jax.random.key(0) if like.shape == () else jax.random.split(jax.random.key(0), like.shape)
    return jax.numpy.asarray(np.abs(numbers(*like.shape, seed=number)).astype(like.dtype))


def linen(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[nn.Module, Any]:
    """A module with random variables; drawing them as the module does would compile its initialisers."""
    streams = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    shapes = jax.eval_shape(lambda: module.init(streams, *args, **kwargs))
    leaves, structure = jax.tree.flatten(shapes)
    return module, jax.tree.unflatten(structure, [_filled(n, leaf) for n, leaf in enumerate(leaves)])


def close(a: Any, b: Any) -> bool:
    """Whether two arrays differ by float64's rounding only."""
    a, b = np.asarray(a), np.asarray(b)
    scale = max(1.0, float(np.abs(b).max(initial=0.0)))
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= ROUNDING * scale)
