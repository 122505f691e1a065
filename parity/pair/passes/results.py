"""What both networks return in each mode, and the layouts in which it is the same."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import PassResult, Returned
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import turn_back, turned, turns
from parity.pair.passes.result_pairs import ResultPairs

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each floating leaf of a result, by the leaf's name."""
Turns = Mapping[str, str | None]
"""The name of the turn that makes Flax's leaf PyTorch's, by the name of PyTorch's; None where no turn fits."""


class Results:
    """What both networks return.

    Args:
        find_pairs: Finds what both return in a mode, and which leaf belongs to which; called when first needed.
        settled: The turns that are known.
    """

    def __init__(self, find_pairs: Callable[[str], ResultPairs], settled: Turns | None = None) -> None:
        self._find_pairs = find_pairs
        self._settled: Turns = settled or {}
        self._pairs: dict[str, ResultPairs] = {}

    def of(self, mode: str) -> ResultPairs:
        """What both return in a mode, and which leaf belongs to which."""
        if mode not in self._pairs:
            self._pairs[mode] = self._find_pairs(mode)
        return self._pairs[mode]

    @property
    def shapes(self) -> tuple[Shapes, Shapes]:
        """The shapes of the floating leaves of what Flax's network and PyTorch's return in evaluation."""
        pairs = self.of("evaluation")
        return _floating_shapes(pairs.flax), _floating_shapes(pairs.torch)

    @property
    def settled(self) -> Turns:
        """The turns that were found to bring the results nearest to each other."""
        return self._settled

    def turns(self, mode: str) -> Turns:
        """The turn of each floating leaf of a mode: the settled one, else the first one that the shapes allow."""
        pairs = self.of(mode)
        leaves = zip(*pairs.floating, strict=True)
        return {b: self._turn(b, pairs.flax.leaves[a].shape, pairs.torch.leaves[b].shape) for a, b in leaves}

    def _turn(self, name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
        return self._settled.get(name) or next((turn for turn, _ in turns(shape, wanted)), None)

    def settle(self, flax: PassResult, torch: PassResult) -> bool:
        """Take the turns that bring two results nearest to each other; whether any turn is another one than before.

        Args:
            flax, torch: Passes in evaluation of both networks with the same weights and inputs.
        """
        before = self.turns("evaluation")
        pairs = zip(*self.of("evaluation").floating, strict=True)
        nearest = {b: turned(flax.outputs[a], torch.outputs[b]) for a, b in pairs}
        self._settled = {name: None if turn is None else turn[0] for name, turn in nearest.items()}
        return self.turns("evaluation") != before

    def in_flax(self, torch: Arrays, mode: str) -> Arrays:
        """Arrays by floating leaf of PyTorch's result in a mode, by leaf and in the layout of Flax's; zeros where no
        turn fits."""
        pairs, known = self.of(mode), self.turns(mode)
        leaves = zip(*pairs.floating, strict=True)
        return {a: self._back(known[b], torch[b], pairs.flax.leaves[a].shape) for a, b in leaves}

    @staticmethod
    def _back(turn: str | None, torch: NDArray, shape: tuple[int, ...]) -> NDArray:
        return np.zeros(shape) if turn is None else turn_back(turn, torch, shape)

    def copy(self) -> "Results":
        """The same results, whose layouts can be settled anew."""
        return Results(self.of, self._settled)


def _floating_shapes(returned: Returned) -> Shapes:
    return {name: leaf.shape for name, leaf in returned.leaves.items() if leaf.kind == "floating"}
