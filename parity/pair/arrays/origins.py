"""Which number of the user's inputs each number that a network is given comes from, whatever the adapters do."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.interface.trace import Arrays
from parity.pair.arrays.inputs import Adapter, adapt, arrays, changed

MOST = 2**24
"""Whole numbers up to it can be told apart in float32."""
CONSTANT = -1


@dataclass(frozen=True)
class Origins:
    """Where the numbers that one side is given come from.

    Args:
        places: An int64 array for each floating leaf that is made of the user's numbers as they are, of the leaf's
            shape: the places of its numbers among all floating numbers of the user, or `CONSTANT`.
        computed: The numbers of the user's floating leaves with which the adapter computes.
    """

    places: Mapping[str, NDArray] = field(default_factory=dict)
    computed: frozenset[int] = frozenset()

    def among(self, names: Container[str]) -> "Origins":
        """The origins of the leaves with these names alone."""
        return replace(self, places={name: places for name, places in self.places.items() if name in names})

    def gather(self, gradients: Arrays, size: int) -> NDArray:
        """The gradient with respect to the user's floating numbers.

        Args:
            gradients: The gradients with respect to the side's leaves, by name.
            size: How many floating numbers the user gave.

        Returns:
            A float64 array of shape (size,).
        """
        total = np.zeros(size)
        for name, places in self.places.items():
            varying = places.ravel() != CONSTANT
            total += np.bincount(places.ravel()[varying], gradients[name].ravel()[varying], size)
        return total

    def gives(self, start: int, stop: int) -> bool:
        """Whether the side is given any of these numbers."""
        return any(((places >= start) & (places < stop)).any() for places in self.places.values())


def floating_leaves(inputs: Inputs) -> Arrays:
    """The floating arrays among inputs, in order, by the names that both sides have for them."""
    return {name: array for name, array in arrays(inputs).items() if np.issubdtype(array.dtype, np.floating)}


def spans(inputs: Inputs) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """The places of the numbers of each floating leaf among all floating numbers of the user, one leaf after another.

    Returns:
        The leaf's name → its first place, the one after its last, and its shape.
    """
    places, start = {}, 0
    for name, array in floating_leaves(inputs).items():
        places[name] = start, start + array.size, array.shape
        start += array.size
    return places


def origins(inputs: Inputs, adapter: Adapter) -> Origins | None:
    """Where the numbers come from that an adapter gives a side.

    The adapter is called with the user's floating numbers replaced by their places, and by these counted down.

    Args:
        inputs: The user's inputs.
        adapter: What is done to them for the side.

    Returns:
        The origins; None if they cannot be found out: there are `MOST` numbers or more, or the adapter refuses others.
    """
    sizes = [prod(shape) for _, _, shape in spans(inputs).values()]
    total = sum(sizes)
    if total >= MOST:
        return None
    ends = np.cumsum([0, *sizes])
    tags: list[NDArray] = [np.arange(ends[i], ends[i + 1]) + 1.0 for i in range(len(sizes))]
    other = [total + 1.0 - tag for tag in tags]
    try:
        first, second = (_adapted(inputs, adapter, numbers) for numbers in (tags, other))
        arrays = floating_leaves(adapt(inputs, adapter))
        mine = [array.ravel() for array in floating_leaves(inputs).values()]
        flat = np.concatenate([np.zeros(0), *mine])
        places = {name: _places(first[name], second[name], total) for name in arrays}
        sure = {
            name: p for name, p in places.items() if p is not None and _explains(p, flat, arrays[name], first[name])
        }
        lost = [name for name in arrays if name not in sure]
        halves = [[array / 2 if i == place else array for i, array in enumerate(mine)] for place in range(len(mine))]
        moved = [_adapted(inputs, adapter, numbers) for numbers in (halves if lost else [])]
    except Exception:  # nobody knows what a user's function raises for other numbers
        return None
    computed = [i for i, by in enumerate(moved) if any(not np.array_equal(by[n], arrays[n]) for n in lost)]
    return Origins(sure, frozenset(computed))


def _adapted(inputs: Inputs, adapter: Adapter, numbers: Sequence[NDArray]) -> Arrays:
    rest = iter(numbers)

    def tag(array: NDArray) -> NDArray:
        return next(rest).reshape(array.shape).astype(np.promote_types(array.dtype, np.float32))

    return floating_leaves(adapt(changed(inputs, tag), adapter))


def _places(first: NDArray, second: NDArray, total: int) -> NDArray | None:
    """Places by tags that count up, and by such that count down; None if some number is neither tag nor constant."""
    up, down = first.astype(np.int64) - 1, total - second.astype(np.int64)
    tag = (up == down) & (up >= 0) & (up < total) & (first == up + 1)
    return np.where(tag, up, CONSTANT) if (tag | (first == second)).all() else None


def _explains(places: NDArray, flat: NDArray, array: NDArray, constants: NDArray) -> bool:
    """Whether the user's own numbers come where the tags came."""
    predicted = np.where(places == CONSTANT, constants, flat[np.maximum(places, 0)] if flat.size else constants)
    return np.array_equal(predicted.astype(array.dtype), array, equal_nan=True)
