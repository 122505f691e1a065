"""How the two sides are called with what an adapter gives, and what they return as a flat list."""

from typing import Any

import numpy as np


def flat(tree: Any) -> dict[str, Any]:
    """Path, joined by "/" → array."""
    from flax.traverse_util import flatten_dict

    return flatten_dict(dict(tree), sep="/")


def called(adapter: Any, inputs: Any) -> Any:
    """What one side is called with."""
    if not callable(adapter):
        return inputs
    arguments, keywords = split(inputs)
    return adapter(*arguments, **keywords)


def split(given: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional inputs and the keyword inputs."""
    if isinstance(given, dict):
        return (), given
    return (given if isinstance(given, tuple) else (given,)), {}


def applied(network: Any, given: Any) -> Any:
    """What the network returns."""
    arguments, keywords = split(given)
    return network(*arguments, **keywords)


def as_torch(given: Any, precision: str) -> Any:
    import torch

    if isinstance(given, dict):
        return {name: as_torch(value, precision) for name, value in given.items()}
    if isinstance(given, tuple):
        return tuple(as_torch(value, precision) for value in given)
    if not isinstance(given, np.ndarray):
        return given
    array = torch.as_tensor(np.array(given))
    return array.to(getattr(torch, precision)) if array.is_floating_point() else array


def leaves(tree: Any) -> list[Any]:
    """The floating arrays of what a network returns, in order."""
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, tuple | list):
        return [leaf for value in tree for leaf in leaves(value)]
    return [tree] if hasattr(tree, "dtype") and "float" in str(tree.dtype) else []
