"""What a Flax network is given: arguments, targets and state, as JAX's arrays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.models.model import State
from parity.backends.flax.tracing.tape import floats
from parity.backends.flax.tracing.written import narrow, remembering_literals, wide
from parity.backends.flax.training.devices import device_at
from parity.errors import UsageError
from parity.interface.devices import chosen_place
from parity.interface.observation import Inputs
from parity.interface.side import Pass
from parity.interface.sides.trained import Objective
from parity.interface.trace import Precision
from parity.interface.tree import leaves, mapped

Leaves = list[jax.Array]
Type = jax.ShapeDtypeStruct


class FlaxTree:
    """A tree taken apart: arrays, which are traced, and everything else, which is not."""

    def __init__(self, tree: Any) -> None:
        paths, self._structure = jax.tree_util.tree_flatten_with_path(tree)
        self._leaves = [leaf for _, leaf in paths]  # dataclasses that JAX does not know are leaves to it
        named = [item for path, leaf in paths for item in leaves(leaf, jax.tree_util.keystr(path[1:]))]
        held = [(name, np.asarray(item)) for name, item in named if _is_array(item)]
        self.names = [name for name, _ in held]
        self.arrays: list[NDArray] = [array for _, array in held]
        """Its arrays, as they were given."""
        self.types = [type_of(array) for array in self.arrays]
        shapes = tuple((each.shape, str(each.dtype)) for each in self.types)
        rest = tuple(repr(item) for _, item in named if not _is_array(item))
        self.key = (self._structure, shapes, (*rest, *(type(leaf) for leaf in self._leaves)))

    def merged(self, arrays: Sequence[Any]) -> Any:
        """The tree with other arrays."""
        rest = iter(arrays)
        flat = [mapped(leaf, lambda _, item: next(rest) if _is_array(item) else item) for leaf in self._leaves]
        return jax.tree.unflatten(self._structure, flat)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic)


def type_of(array: NDArray, kept: Any = None) -> Type:
    """Shape and type of an array where a user's program gets it: floating ones in float32, complex ones in complex64,
    whole numbers as JAX takes them outside of its 64-bit mode.

    Args:
        array: an array of any type.
        kept: a floating type to take in the place of float32.

    Raises:
        OverflowError: a whole number does not fit the type that JAX has for it.
    """
    if jnp.issubdtype(array.dtype, jnp.floating):
        return Type(array.shape, np.dtype(np.float32 if kept is None else kept))
    kind = narrow(array.dtype)
    if kind != array.dtype and array.dtype.kind in "iu":
        _require_fit(array, np.iinfo(kind))
    return Type(array.shape, kind)


def _require_fit(array: NDArray, kept: np.iinfo) -> None:
    odd = array[(array < kept.min) | (array > kept.max)]
    if odd.size:
        raise OverflowError(
            f"got {odd.flat[0]} in an array of {array.dtype}; JAX keeps it as {kept.dtype} unless jax_enable_x64 is "
            f"on, as another number: give numbers from {kept.min} to {kept.max}"
        )


def converted(array: NDArray, kind: Type, precision: Precision) -> jax.Array:
    """An array as a program of that type takes it, in float64 or complex128 where that is asked for."""
    return jnp.array(array, wide(kind.dtype) if precision == "float64" else kind.dtype)


def arguments_of(inputs: Inputs) -> FlaxTree:
    """The arguments of a call, which `inputs_of` puts together again."""
    return FlaxTree((tuple(inputs.args), dict(inputs.kwargs)))


def inputs_of(arguments: FlaxTree, arrays: Sequence[Any]) -> Inputs:
    """The arguments of a call with other arrays."""
    return Inputs(*arguments.merged(arrays))


def targets_of(how: Pass) -> FlaxTree:
    """The targets of the pass's objective; an empty tree without one."""
    return FlaxTree(None if how.objective is None else how.objective.targets)


def arrays_in(tree: FlaxTree, precision: Precision) -> Leaves:
    """The arrays of a tree in the types that a program of that precision takes."""
    return [converted(array, kind, precision) for array, kind in zip(tree.arrays, tree.types, strict=True)]


def loss_of(objective: Objective, result: Any, targets: Any) -> jax.Array:
    """The user's loss of what the network returns.

    Raises:
        UsageError: it is not one floating number.
    """
    loss = objective.loss(result, targets)
    if not floats(loss) or loss.shape != ():
        got = f"an array of shape {loss.shape}" if hasattr(loss, "shape") else type(loss).__name__
        raise UsageError(f"the loss for Flax gave {got}; expected one floating number: reduce it, by its mean for one")
    return objective.scale * loss


def state_of(native: Mapping[str, NDArray], types: Mapping[str, Type], precision: Precision) -> State:
    """Arrays as a program takes them."""
    return {name: converted(array, types[name], precision) for name, array in native.items()}


def device_of(precision: Precision) -> jax.Device:
    """The device of passes of that precision.

    Raises:
        UsageError: JAX does not have it.
    """
    place = chosen_place().of("flax", precision)
    return device_at(place.platform, place.number)


@contextmanager
def setting(precision: Precision) -> Iterator[None]:
    """Float64 where it is asked for, strict float32 otherwise, on the device that was chosen."""
    place = jax.default_device(device_of(precision))
    with jax.enable_x64(precision == "float64"), jax.default_matmul_precision("highest"), place:
        yield


@contextmanager
def tracing() -> Iterator[None]:
    """The mode in which a user runs a program, whatever it will be evaluated in."""
    with setting("float32"), remembering_literals():
        yield
