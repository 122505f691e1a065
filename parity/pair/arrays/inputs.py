"""What a user calls a pair with, and how each side wants it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.tree import leaves
from parity.interface.user_code import raising
from parity.report.records import Input

Adapter = str | Callable[..., Any] | None
"""A layout such as "NHWC->NCHW", a function of the inputs, or nothing."""


def as_inputs(given: Any) -> Inputs:
    """One array, a tuple (or list) of positional inputs, a dict of keyword inputs, or both as `Inputs`.

    Raises:
        UsageError: there is no array among them.
    """
    if isinstance(given, Inputs):
        inputs = given
    elif isinstance(given, Mapping):
        inputs = Inputs((), dict(given))
    else:
        inputs = Inputs(tuple(given) if isinstance(given, list | tuple) else (given,))
    inputs = Inputs(as_numpy(inputs.args), as_numpy(dict(inputs.kwargs)))
    if not any(isinstance(leaf, np.ndarray) for _, leaf in leaves((inputs.args, inputs.kwargs))):
        raise UsageError("the inputs hold no array; give the arrays that the networks are called with")
    return inputs


def described(inputs: Inputs) -> list[Input]:
    """The arrays among inputs, for people."""
    every = [*leaves(tuple(inputs.args)), *leaves(dict(inputs.kwargs))]
    return [Input(name, a.shape, str(a.dtype)) for name, a in every if isinstance(a, np.ndarray)]


def adapt(inputs: Inputs, adapter: Adapter) -> Inputs:
    """The inputs as one side wants them.

    Raises:
        UsageError: the layout is not one letter an axis on both sides of "->".
        UserCodeError: the function raised something.
    """
    if adapter is None:
        return inputs
    if callable(adapter):
        with raising("the call of the function that adapts the inputs"):
            return as_inputs(adapter(*inputs.args, **inputs.kwargs))
    axes = parse_layout(adapter)
    return Inputs(_turned(inputs.args, axes), _turned(dict(inputs.kwargs), axes))


def parse_layout(text: str) -> tuple[int, ...]:
    """Axes that `numpy.transpose` takes, of "NHWC->NCHW"."""
    before, arrow, after = text.replace(" ", "").partition("->")
    if not arrow or sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise UsageError(f"got the layout {text!r}; expected the same letters on both sides, such as NHWC->NCHW")
    return tuple(before.index(letter) for letter in after)


def as_numpy(tree: Any) -> Any:
    """The tree with every array of another library as NumPy's."""
    if isinstance(tree, Mapping):
        return {key: as_numpy(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple) and not hasattr(tree, "_fields"):
        return type(tree)(as_numpy(item) for item in tree)
    if hasattr(tree, "detach"):
        tree = tree.detach().cpu().numpy()
    return np.array(tree) if hasattr(tree, "__array__") else tree


def _turned(tree: Any, axes: tuple[int, ...]) -> Any:
    if isinstance(tree, Mapping):
        return {key: _turned(item, axes) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_turned(item, axes) for item in tree)
    fits = isinstance(tree, np.ndarray) and tree.ndim == len(axes)
    return np.ascontiguousarray(tree.transpose(axes)) if fits else tree


def changed(inputs: Inputs, change: Callable[[NDArray], NDArray]) -> Inputs:
    """The inputs with every floating array changed."""

    def walk(tree: Any) -> Any:
        if isinstance(tree, Mapping):
            return {key: walk(item) for key, item in tree.items()}
        if isinstance(tree, list | tuple):
            return type(tree)(walk(item) for item in tree)
        floats = isinstance(tree, np.ndarray) and np.issubdtype(tree.dtype, np.floating)
        return change(tree) if floats else tree

    return Inputs(walk(inputs.args), walk(dict(inputs.kwargs)))
