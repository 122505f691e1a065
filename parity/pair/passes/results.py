"""What both networks return: the shapes and names of its leaves, and the layouts in which they are the same."""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import PassResult
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import turn_back, turned, turns

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each floating leaf of a result, by the leaf's name."""
Names = tuple[list[str], list[str]]


class Results:
    """The floating leaves that both networks return.

    Args:
        find_shapes: Finds the shapes of Flax's leaves and of PyTorch's; called when they are first asked for.
        settled: The name of the turn that makes each of Flax's leaves PyTorch's, by place, where that is known; None
            for a leaf that no turn fits.
    """

    def __init__(self, find_shapes: Callable[[], tuple[Shapes, Shapes]], settled: tuple[str | None, ...] = ()) -> None:
        self._find_shapes = find_shapes
        self._settled = settled

    @cached_property
    def shapes(self) -> tuple[Shapes, Shapes]:
        """The shapes of Flax's leaves and of PyTorch's."""
        return self._find_shapes()

    @cached_property
    def names(self) -> Names:
        """The names of Flax's leaves and of PyTorch's; leaves at one place are taken to be the same."""
        ours, theirs = (list(shapes) for shapes in self.shapes)
        return (list(theirs), theirs) if sorted(ours) == sorted(theirs) else (ours, theirs)

    @property
    def turns(self) -> tuple[str | None, ...]:
        """The name of the turn of each of Flax's leaves: the settled one, else the first one that the shapes allow."""
        pairs = enumerate(zip(*self.names, strict=False))
        return tuple(self._turn(place, self.shapes[0][a], self.shapes[1][b]) for place, (a, b) in pairs)

    def _turn(self, place: int, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
        known = self._settled[place] if place < len(self._settled) else None
        return known or next((name for name, _ in turns(shape, wanted)), None)

    def settle(self, flax: PassResult, torch: PassResult) -> bool:
        """Take the turns that bring two results nearest to each other; whether any turn is another one than before.

        Args:
            flax, torch: Passes of both networks with the same weights and inputs.
        """
        before = self.turns
        nearest = (turned(flax.outputs[a], torch.outputs[b]) for a, b in zip(*self.names, strict=False))
        self._settled = tuple(None if turn is None else turn[0] for turn in nearest)
        return self.turns != before

    def in_flax(self, torch: Arrays) -> Arrays:
        """Arrays by leaf of PyTorch's result, by leaf and in the layout of Flax's; zeros where no turn fits."""
        leaves = zip(*self.names, self.turns, strict=False)
        return {a: self._back(turn, torch[b], self.shapes[0][a]) for a, b, turn in leaves}

    @staticmethod
    def _back(turn: str | None, torch: NDArray, shape: tuple[int, ...]) -> NDArray:
        return np.zeros(shape) if turn is None else turn_back(turn, torch, shape)

    def copy(self) -> "Results":
        """The same results, whose layouts can be settled anew."""
        return Results(lambda: self.shapes, self._settled)
