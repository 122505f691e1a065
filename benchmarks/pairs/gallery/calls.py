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


def split(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional inputs and the keyword inputs."""
    if isinstance(inputs, dict):
        return (), inputs
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


def applied(network: Any, inputs: Any) -> Any:
    """What the network returns."""
    arguments, keywords = split(inputs)
    return network(*arguments, **keywords)


def as_torch(inputs: Any, precision: str) -> Any:
    import torch

    if isinstance(inputs, dict):
        return {name: as_torch(value, precision) for name, value in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(as_torch(value, precision) for value in inputs)
    if not isinstance(inputs, np.ndarray):
        return inputs
    array = torch.as_tensor(np.array(inputs))
    return array.to(getattr(torch, precision)) if array.is_floating_point() else array


def leaves(tree: Any) -> list[Any]:
    """The floating arrays of what a network returns, in order."""
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, tuple | list):
        return [leaf for value in tree for leaf in leaves(value)]
    return [tree] if hasattr(tree, "dtype") and "float" in str(tree.dtype) else []
