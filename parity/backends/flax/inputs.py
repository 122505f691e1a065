"""What a Flax network is given: arguments and state, as JAX's arrays of one precision."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.models import State
from parity.backends.flax.tape import floats
from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.side import Objective
from parity.interface.trace import Precision
from parity.interface.tree import leaves, mapped

Leaves = list[jax.Array]


class FlaxInputs:
    """Inputs taken apart: arrays, which are traced, and everything else, which is not."""

    def __init__(self, inputs: Inputs, precision: Precision) -> None:
        paths, self._structure = jax.tree_util.tree_flatten_with_path((tuple(inputs.args), dict(inputs.kwargs)))
        self._leaves = [leaf for _, leaf in paths]  # dataclasses that JAX does not know are leaves to it
        named = [item for path, leaf in paths for item in leaves(leaf, jax.tree_util.keystr(path[1:]))]
        held = [(name, item) for name, item in named if _is_array(item)]
        self.arrays = [converted(item, precision) for _, item in held]
        self.floating_names = [n for (n, _), array in zip(held, self.arrays, strict=True) if floats(array)]
        shapes = tuple((array.shape, str(array.dtype)) for array in self.arrays)
        rest = tuple(repr(item) for _, item in named if not _is_array(item))
        self.key = (self._structure, shapes, (*rest, *(type(leaf) for leaf in self._leaves)))

    def merged(self, arrays: Leaves) -> Inputs:
        """The inputs with other arrays."""
        rest = iter(arrays)
        flat = [mapped(leaf, lambda _, item: next(rest) if _is_array(item) else item) for leaf in self._leaves]
        args, kwargs = jax.tree.unflatten(self._structure, flat)
        return Inputs(args, kwargs)

    @staticmethod
    def with_floating(arrays: Leaves, floating: Leaves) -> Leaves:
        """The arrays with other floating ones."""
        rest = iter(floating)
        return [next(rest) if floats(array) else array for array in arrays]


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic)


def converted(leaf: Any, precision: Precision) -> jax.Array:
    """A leaf as an array, of that precision if it is floating.

    Raises:
        OverflowError: a whole number does not fit the type that JAX has for it.
    """
    array = np.asarray(leaf)
    if array.dtype.kind in "iu" and (kept := jax.dtypes.canonicalize_dtype(array.dtype)) != array.dtype:
        _require_fit(array, np.iinfo(kept))
        array = array.astype(kept)  # inside a program, JAX may keep int64 from a pass that had it
    return jnp.array(array, precision if np.issubdtype(array.dtype, np.floating) else None)


def _require_fit(array: NDArray, kept: np.iinfo) -> None:
    odd = array[(array < kept.min) | (array > kept.max)]
    if odd.size:
        raise OverflowError(
            f"got {odd.flat[0]} in an array of {array.dtype}; JAX keeps it as {kept.dtype} unless jax_enable_x64 is "
            f"on, as another number: give numbers from {kept.min} to {kept.max}"
        )


def loss_of(objective: Objective, result: Any, precision: Precision) -> jax.Array:
    """The user's loss of what the network returns.

    Raises:
        UsageError: it is not one floating number.
    """
    leaves, structure = jax.tree.flatten(objective.targets)
    given = [converted(leaf, precision) if isinstance(leaf, np.ndarray | np.generic) else leaf for leaf in leaves]
    loss = objective.loss(result, jax.tree.unflatten(structure, given))
    if not floats(loss) or loss.shape != ():
        got = f"an array of shape {loss.shape}" if hasattr(loss, "shape") else type(loss).__name__
        raise UsageError(f"the loss for Flax gave {got}; expected one floating number: reduce it, by its mean for one")
    return objective.scale * loss


def state_of(native: Mapping[str, NDArray], precision: Precision) -> State:
    """Arrays as a network takes them."""
    return {name: converted(array, precision) for name, array in native.items()}


@contextmanager
def setting(precision: Precision) -> Iterator[None]:
    """Float64 where it is asked for, strict float32 otherwise, on the CPU."""
    cpu = jax.devices("cpu")[0]
    with jax.enable_x64(precision == "float64"), jax.default_matmul_precision("highest"), jax.default_device(cpu):
        yield
