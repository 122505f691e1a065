"""What the proof of a weight map is made of: passes of both networks with the same random numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import MARGIN, RATIO
from parity.interface.observation import PassResult
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import agree, compare, floating, turned
from parity.pair.weightmap.align import CallPair, pair_layers
from parity.pair.weightmap.inside import Record
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.pairing.signatures import Shape

Run = Callable[[Mapping[str, NDArray]], PassResult]
"""One evaluation pass of a side with these native arrays in the place of its own."""


@dataclass(frozen=True)
class Runs:
    """How the passes of a proof are run.

    Args:
        flax, torch: One pass of each side in float64.
        torch_low: One pass of PyTorch's side in float32.
        names: The names of the results that belong together, Flax's and PyTorch's.
        operations: How Flax's and PyTorch's passes are recorded operation by operation; None where they are not.
    """

    flax: Run
    torch: Run
    torch_low: Run
    names: Sequence[tuple[str, str]] = ()
    operations: tuple[Record, Record] | None = None


@dataclass(frozen=True)
class ProofPass:
    """One evaluation pass of both networks with the same numbers.

    Args:
        flax: Flax's in float64.
        torch, low: PyTorch's in float64 and in float32.
        names: The names of the results that belong together, Flax's and PyTorch's.
        inside: How many operations of the networks give the same numbers; 0 where that is not known.
    """

    flax: PassResult
    torch: PassResult
    low: PassResult
    names: Sequence[tuple[str, str]] = ()
    inside: int = 0

    def layer(self, pair: CallPair) -> tuple[bool, bool]:
        """Whether the inputs, and whether the outputs, of two calls agree."""
        return self._agree(pair, "inputs"), self._agree(pair, "outputs")

    def same_outputs(self, weight_map: WeightMap) -> bool:
        """Whether what the networks return agrees: the floating numbers; where there are none the others, or, as they
        may be undecided where scores are equal, the layers inside."""
        floats = self._floating_results()
        if floats or not self.names:
            return bool(floats) and all(agree(*arrays) for arrays in floats)
        if all(np.array_equal(self.flax.outputs[a], self.torch.outputs[b]) for a, b in self.names):
            return True
        layers = pair_layers(weight_map, self.flax.calls, self.torch.calls)
        return bool(layers) and all(self.layer(pair)[1] for pair in layers)

    def reshaped_into(self, pair: CallPair | None) -> list[Shape]:
        """The shapes (channels, *spatial) of PyTorch's maps that hold the same numbers as Flax's, in their own order:
        among what goes into two calls, or among the results if there is no such pair."""
        if pair is None:
            arrays = self._floating_results()
        else:
            results = ((self.flax, pair.flax), (self.torch, pair.torch), (self.low, pair.torch))
            inputs = [floating(result.calls[place].inputs) for result, place in results]
            arrays = list(zip(*inputs, strict=False))
        return [torch.shape[1:] for flax, torch, low in arrays if _holds_the_same(flax, torch, low)]

    def _floating_results(self) -> list[tuple[NDArray, NDArray, NDArray]]:
        """The results that are floating on both sides: Flax's, PyTorch's and PyTorch's in float32."""
        every = [(self.flax.outputs[a], self.torch.outputs[b], self.low.outputs[b]) for a, b in self.names]
        return [arrays for arrays in every if len(floating(arrays)) == len(arrays)]

    def standing(self, weight_map: WeightMap) -> "Standing":
        """How well the networks agree with a map, the one of this pass."""
        return Standing(self.same_outputs(weight_map), self.near(), self.first_failing(weight_map), self.inside)

    def near(self) -> bool:
        """Whether what the networks return differs by no more than float32's rounding could, where the referee may
        still tell it from float64's: constants that one side rounds do that, wrong weights do not."""
        floats = self._floating_results()
        return bool(floats) and all(_near(*arrays) for arrays in floats)

    def first_failing(self, weight_map: WeightMap) -> int:
        """The place in Flax's calls of the first paired layer that does not agree; beyond all of them if all do."""
        pairs = sorted(pair_layers(weight_map, self.flax.calls, self.torch.calls), key=lambda pair: pair.flax)
        return next((pair.flax for pair in pairs if not all(self.layer(pair))), len(self.flax.calls))

    def begins_alike(self, weight_map: WeightMap) -> bool:
        """Whether the first paired layer agrees, in what it is fed and in what it gives."""
        pairs = pair_layers(weight_map, self.flax.calls, self.torch.calls)
        return bool(pairs) and all(self.layer(min(pairs, key=lambda pair: pair.flax)))

    def _agree(self, pair: CallPair, what: str) -> bool:
        ours, theirs, low = (
            floating(getattr(result.calls[place], what))
            for result, place in ((self.flax, pair.flax), (self.torch, pair.torch), (self.low, pair.torch))
        )
        features = pair.features_in if what == "inputs" else pair.features_out
        if not ours or not theirs:
            return not ours and not theirs  # whole numbers alone: nothing to go by
        return any(
            agree(a, b, c, inside=True, features=features) for b, c in zip(theirs, low, strict=True) for a in ours[:2]
        )


class Standing(NamedTuple):
    """How well the networks agree with a map; a larger one is better.

    Args:
        same: Whether what they return agrees.
        near: Whether it differs by no more than float32's rounding could.
        failing: The place of the first of Flax's calls that does not agree.
        inside: How many operations of the networks give the same numbers.
    """

    same: bool
    near: bool
    failing: int
    inside: int


def _holds_the_same(flax: NDArray, torch: NDArray, low: NDArray) -> bool:
    """Whether a map of Flax's, channels last, and one of PyTorch's hold the same numbers in the same order: both were
    reshaped of the same features."""
    shape = torch.shape
    if torch.ndim < 3 or flax.shape != (shape[0], *shape[2:], shape[1]):
        return False
    return compare("", "", flax.reshape(shape), torch, low).verdict.passes


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

    def arrays(self, framework: str) -> Arrays:
        """The native arrays of a side, "flax" or "torch", that the map was tried with."""
        return self.flax if framework == "flax" else self.torch
