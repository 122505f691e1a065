"""What the proof of a weight map is made of: passes of both networks with the same random numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import NDArray

from parity.checks.referee import MARGIN, RATIO
from parity.interface.observation import PassResult
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import agree, compare, floating, turned
from parity.pair.weightmap.align import CallPair, pair_layers
from parity.pair.weightmap.pairing.pairings import WeightMap

Run = Callable[[Mapping[str, NDArray]], PassResult]
"""One evaluation pass of a side with these native arrays in the place of its own."""


@dataclass(frozen=True)
class Runs:
    """How the passes of a proof are run.

    Args:
        flax, torch: One pass of each side in float64.
        torch_low: One pass of PyTorch's side in float32.
    """

    flax: Run
    torch: Run
    torch_low: Run


@dataclass(frozen=True)
class ProofPass:
    """One evaluation pass of both networks with the same numbers: Flax in float64, PyTorch in both precisions."""

    flax: PassResult
    torch: PassResult
    low: PassResult

    def layer(self, pair: CallPair) -> tuple[bool, bool]:
        """Whether the inputs, and whether the outputs, of two calls agree."""
        return self._agree(pair, "inputs"), self._agree(pair, "outputs")

    def same_outputs(self) -> bool:
        """Whether what the networks return agrees."""
        ours, theirs = floating(list(self.flax.outputs.values())), floating(list(self.torch.outputs.values()))
        low = floating(list(self.low.outputs.values()))
        return len(ours) == len(theirs) > 0 and all(map(agree, ours, theirs, low))

    def standing(self, weight_map: WeightMap) -> "Standing":
        """How well the networks agree with a map, the one of this pass."""
        return Standing(self.same_outputs(), self.near(), self.first_failing(weight_map))

    def near(self) -> bool:
        """Whether what the networks return differs by no more than float32's rounding could, where the referee may
        still tell it from float64's: constants that one side rounds do that, wrong weights do not."""
        ours, theirs = floating(list(self.flax.outputs.values())), floating(list(self.torch.outputs.values()))
        low = floating(list(self.low.outputs.values()))
        return len(ours) == len(theirs) > 0 and all(map(_near, ours, theirs, low))

    def first_failing(self, weight_map: WeightMap) -> int:
        """The place in Flax's calls of the first paired layer that does not agree; beyond all of them if all do."""
        pairs = sorted(pair_layers(weight_map, self.flax.calls, self.torch.calls), key=lambda pair: pair.flax)
        return next((pair.flax for pair in pairs if not all(self.layer(pair))), len(self.flax.calls))

    def _agree(self, pair: CallPair, what: str) -> bool:
        ours, theirs, low = (
            floating(getattr(result.calls[place], what))
            for result, place in ((self.flax, pair.flax), (self.torch, pair.torch), (self.low, pair.torch))
        )
        if not ours or not theirs:
            return not ours and not theirs  # whole numbers alone: nothing to go by
        return any(agree(a, b, c, inside=True) for b, c in zip(theirs, low, strict=True) for a in ours[:2])


class Standing(NamedTuple):
    """How well the networks agree with a map; a larger one is better.

    Args:
        same: Whether what they return agrees.
        near: Whether it differs by no more than float32's rounding could.
        failing: The place of the first of Flax's calls that does not agree.
    """

    same: bool
    near: bool
    failing: int


def _near(flax: NDArray, torch: NDArray, low: NDArray) -> bool:
    turn = turned(flax, torch)
    return turn is not None and compare("", "", turn[1](flax), torch, low).share * RATIO <= MARGIN


@dataclass(frozen=True)
class Proof:
    """What came of proving a weight map.

    Args:
        weight_map: The map, as far as it could be decided.
        flax, torch: The native arrays that it was tried with, float64.
        evaluation: The pass with them.
        agrees: Whether the networks agree with the map.
        undecided: Names of readings that were left when the budget was spent; the first difference may be the map's
            fault.
        tried: How many passes of Flax's network it took.
    """

    weight_map: WeightMap
    flax: Arrays
    torch: Arrays
    evaluation: ProofPass
    agrees: bool
    undecided: tuple[str, ...]
    tried: int

    @property
    def match(self) -> WeightMap:
        """The former name of `weight_map`."""
        return self.weight_map

    @property
    def sight(self) -> ProofPass:
        """The former name of `evaluation`."""
        return self.evaluation
