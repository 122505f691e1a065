"""What a user calls a pair with, and how each side wants it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.tree import leaves, mapped, require_no_circle
from parity.interface.user_code import raising
from parity.report.records import Input

Adapter = str | Callable[..., Any] | None
"""A layout such as "NHWC->NCHW", a function of the inputs, or nothing."""


def as_inputs(inputs: Any) -> Inputs:
    """The inputs of a pair as positional and keyword arguments, with NumPy arrays.

    Args:
        inputs: One array, a NamedTuple or a dataclass is the one positional input; a tuple or list has several, a dict
            keyword inputs; `Inputs` may hold both. Arrays may be of NumPy, JAX or PyTorch.

    Raises:
        UsageError: There is no array among them, or one of them holds itself.
    """
    if isinstance(inputs, Inputs):
        called = inputs
    elif isinstance(inputs, Mapping):
        called = Inputs((), dict(inputs))
    elif isinstance(inputs, list | tuple) and not hasattr(inputs, "_fields"):
        called = Inputs(tuple(inputs))
    else:
        called = Inputs((inputs,))
    require_no_circle((called.args, dict(called.kwargs)))
    called = Inputs(as_numpy(called.args), as_numpy(dict(called.kwargs)))
    if not arrays(called):
        raise UsageError("the inputs hold no array; give the arrays that the networks are called with")
    return called


def arrays(inputs: Inputs) -> dict[str, NDArray]:
    """The arrays among inputs, positional ones first, by the names that both sides have for them: "[0]", "['mask']"."""
    named = [*leaves(tuple(inputs.args)), *leaves(dict(inputs.kwargs))]
    return {name: leaf for name, leaf in named if isinstance(leaf, np.ndarray)}


def described(inputs: Inputs) -> list[Input]:
    """The names, shapes and dtypes of the arrays among inputs, for people."""
    return [Input(name, array.shape, str(array.dtype)) for name, array in arrays(inputs).items()]


def adapt(inputs: Inputs, adapter: Adapter) -> Inputs:
    """The inputs as one side wants them.

    Raises:
        UsageError: The layout is not one letter an axis on both sides of "->".
        UserCodeError: The function raised something.
    """
    if adapter is None:
        return inputs
    if callable(adapter):
        with raising("the call of the function that adapts the inputs"):
            return as_inputs(adapter(*inputs.args, **inputs.kwargs))
    axes = parse_layout(adapter)
    return with_arrays(inputs, lambda _, array: _transposed(array, axes))


def parse_layout(text: str) -> tuple[int, ...]:
    """The axes that `numpy.transpose` takes for a layout such as "NHWC->NCHW".

    Raises:
        UsageError: The letters on both sides of the arrow are not the same.
    """
    before, arrow, after = text.replace(" ", "").partition("->")
    if not arrow or sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise UsageError(f"got the layout {text!r}; expected the same letters on both sides, such as NHWC->NCHW")
    return tuple(before.index(letter) for letter in after)


def _transposed(array: NDArray, axes: tuple[int, ...]) -> NDArray:
    return np.ascontiguousarray(array.transpose(axes)) if array.ndim == len(axes) else array


def as_numpy(tree: Any) -> Any:
    """The tree with every array of another library as NumPy's, of its shape and dtype; other leaves stay."""
    return mapped(tree, lambda _, leaf: _array(leaf))


def _array(leaf: Any) -> Any:
    if hasattr(leaf, "detach"):
        leaf = leaf.detach().cpu().numpy()
    return np.array(leaf) if hasattr(leaf, "__array__") else leaf


def with_arrays(inputs: Inputs, change: Callable[[str, NDArray], NDArray]) -> Inputs:
    """The inputs with every array changed.

    Args:
        inputs: The inputs.
        change: Makes the new array of the nearest key or field above it and the array.
    """

    def changed_leaf(name: str, leaf: Any) -> Any:
        return change(name, leaf) if isinstance(leaf, np.ndarray) else leaf

    return Inputs(mapped(inputs.args, changed_leaf), mapped(dict(inputs.kwargs), changed_leaf))


def changed(inputs: Inputs, change: Callable[[NDArray], NDArray]) -> Inputs:
    """The inputs with every floating array changed.

    Args:
        inputs: The inputs.
        change: Makes the new array of an array.
    """
    return with_arrays(inputs, lambda _, array: change(array) if np.issubdtype(array.dtype, np.floating) else array)
