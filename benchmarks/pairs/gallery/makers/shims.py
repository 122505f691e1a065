"""What old packages need beside new frameworks before they are imported: names that JAX and PyTorch took away."""

import functools
import warnings
from importlib.metadata import version
from typing import Any

from parity.report.environment import versions
from parity.torchvision_ import load_torchvision

PACKAGES = {
    "transformers": "4.57.6", "diffusers": "0.35.2", "timm": "1.0.31", "flaim": "0.0.5", "jax-resnet": "0.0.4",
    "flaxmodels": "0.1.3",
}  # fmt: skip
"""What is installed besides, with `pip install --no-deps`, as some ask for frameworks that are no more."""


def packages() -> dict[str, str]:
    """Version of every package that a pair is of, and of what this project says in its other records."""
    return {**versions(), **{name: version(name) for name in (*PACKAGES, "torchvision")}}


def prepare() -> None:
    """Make transformers, diffusers and others importable and runnable; changes only names that no longer exist."""
    load_torchvision()
    warnings.filterwarnings("ignore")
    import jax
    import jax.numpy as jnp

    if not getattr(jnp.clip, "takes_former_names", False):
        jnp.clip = _with_former_names(jnp.clip)
    if not hasattr(jax, "tree_map"):
        jax.tree_map = jax.tree_util.tree_map  # type: ignore[attr-defined] # a name that JAX took away
    if not hasattr(jax.random, "KeyArray"):
        jax.random.KeyArray = jax.Array  # type: ignore[attr-defined] # likewise


def _with_former_names(clip: Any) -> Any:
    """`jnp.clip` that also takes `a_min` and `a_max`, as it did until JAX 0.4.27."""

    @functools.wraps(clip)
    def clipped(array: Any = None, /, min: Any = None, max: Any = None, **former: Any) -> Any:
        low, high = former.pop("a_min", min), former.pop("a_max", max)
        return clip(array if array is not None else former.pop("arr", None), low, high, **former)

    clipped.takes_former_names = True  # type: ignore[attr-defined] # our own mark
    return clipped
