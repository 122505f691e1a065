"""Small Flax networks' helpers."""

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


def linen(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[nn.Module, Any]:
    """A module with random variables; drawing them as the module does would compile its initialisers."""
    streams = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    shapes = jax.eval_shape(lambda: module.init(streams, *args, **kwargs))
    leaves, structure = jax.tree.flatten(shapes)
    drawn = [np.abs(numbers(*leaf.shape, seed=n)).astype(leaf.dtype) for n, leaf in enumerate(leaves)]
    return module, jax.tree.unflatten(structure, drawn)


def close(a: Any, b: Any) -> bool:
    """Whether two arrays differ by float64's rounding only."""
    a, b = np.asarray(a), np.asarray(b)
    scale = max(1.0, float(np.abs(b).max(initial=0.0)))
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= ROUNDING * scale)
