"""Passes of both sides with the same weights, inputs and masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parity.interface.observation import PassResult
from parity.interface.trace import Arrays, Precision
from parity.pair.passes.masks import SharedMasks
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap


@dataclass(frozen=True)
class BothSides:
    """What each side showed in one mode, by precision."""

    flax: Mapping[Precision, PassResult]
    torch: Mapping[Precision, PassResult]


def run_both(
    sides: SidePair,
    weight_map: WeightMap,
    torch: Arrays,
    mode: str,
    masks: SharedMasks | None = None,
    precisions: Sequence[Precision] = PRECISIONS,
) -> BothSides:
    """Passes of both sides in each precision.

    Args:
        sides: The sides.
        weight_map: The map by which Flax's side gets PyTorch's numbers.
        torch: PyTorch's native arrays.
        mode: "evaluation" or "training".
        masks: The dropout of both; None turns it off.
        precisions: The precisions.
    """
    flax = weights.to_flax(weight_map, torch, sides.flax.native)
    theirs = run_torch(sides, torch, mode, masks, precisions)
    mask = masks.flax if masks else None
    return BothSides({p: sides.run_pass("flax", flax, mode, p, mask=mask) for p in precisions}, theirs)


def run_torch(
    sides: SidePair,
    torch: Arrays,
    mode: str,
    masks: SharedMasks | None = None,
    precisions: Sequence[Precision] = PRECISIONS,
) -> dict[Precision, PassResult]:
    """Passes of PyTorch's side in each precision, with gradients.

    Args:
        sides, torch, mode, masks, precisions: The arguments of `run_both`.

    Raises:
        UserCodeError: The network, the loss or an adapter raised something.
    """
    mask = masks.torch if masks else None
    return {p: sides.run_pass("torch", torch, mode, p, mask=mask) for p in precisions}
