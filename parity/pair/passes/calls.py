"""Which calls of the two networks are compared, and in which layouts."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

from parity.interface.observation import Call, PassResult
from parity.pair.arrays.layout import agree, floating, turned
from parity.pair.passes.both_sides import BothSides
from parity.pair.weightmap.align import CallPair, pair_blocks, pair_layers
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.pairing.signatures import Shape

RESULTS = 3
"""So many of a call's floating results are looked through for the two that are the same."""


@dataclass(frozen=True)
class CallPairing:
    """Two calls that are compared.

    Args:
        pair: The places of the calls.
        leaf_flax, leaf_torch: The places of the compared arrays among the floating ones of the calls' results.
        turn: The name of the turn that makes Flax's array PyTorch's; None if the shapes do not fit.
    """

    pair: CallPair
    leaf_flax: int
    leaf_torch: int
    turn: str | None


def pair_calls(weight_map: WeightMap, both: BothSides) -> list[CallPairing]:
    """The calls that are compared, in PyTorch's order.

    Args:
        weight_map: The map.
        both: Passes of both sides with it.
    """
    flax, torch, low = both.flax["float64"], both.torch["float64"], both.torch["float32"]
    layers = pair_layers(weight_map, flax.calls, torch.calls)
    blocks = pair_blocks(
        weight_map, flax.calls, torch.calls, layers, lambda a, b: _agreeing(flax, torch, low, a, b) is not None
    )
    pairings = []
    for pair in sorted([*layers, *blocks], key=lambda pair: pair.torch):
        a, b = _agreeing(flax, torch, low, pair.flax, pair.torch, features=pair.features_out) or (0, 0)
        ours, theirs = floating(flax.calls[pair.flax].outputs), floating(torch.calls[pair.torch].outputs)
        if ours and theirs:
            turn = turned(ours[a], theirs[b], inside=True, features=pair.features_out)
            pairings.append(CallPairing(pair, a, b, None if turn is None else turn[0]))
    return pairings


def _agreeing(
    flax: PassResult, torch: PassResult, low: PassResult, a: int, b: int, *, features: Shape = ()
) -> tuple[int, int] | None:
    """The places of two floating results of two calls that agree; None if none do."""
    theirs, lows = _results(torch.calls, b), _results(low.calls, b)
    for leaf_torch, (array, low_array) in enumerate(zip(theirs, lows, strict=False)):
        for leaf_flax, ours in enumerate(_results(flax.calls, a)):
            if agree(ours, array, low_array, inside=True, features=features):
                return leaf_flax, leaf_torch
    return None


def _results(calls: Sequence[Call], place: int) -> list[NDArray]:
    return floating(calls[place].outputs)[:RESULTS] if place < len(calls) else []
