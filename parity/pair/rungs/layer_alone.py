"""Each layer alone: fed on both sides what PyTorch's layer gets in float64, it shows the error that it introduces."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding
from parity.interface.observation import Call
from parity.interface.random import single
from parity.interface.trace import Precision, call_names
from parity.interface.unit import CHANNELS_FIRST
from parity.pair.arrays.layout import ONE_FOR_ALL, compare, floating, turn_back, turned, turns
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import PRECISIONS

Side = Literal["flax", "torch"]
Feeds = Mapping[int, Sequence[NDArray]]
"""Number of a call → what it gets in the place of its floating arguments."""
SIDES: tuple[Side, Side] = "flax", "torch"
MODE = "training"
"""The one mode in which layers are fed alone: what BatchNorm computes in evaluation is less than in training."""
NOT_FED = frozenset({"lstm", "gru", "rnn", "custom"})
"""Kinds whose modules may be called with more than one array, or may be anything."""


@dataclass(frozen=True)
class FedLayer:
    """A layer that is fed alone.

    Args:
        pairing: the layer's calls on both sides.
        flax, torch: what each side's is fed: float32's numbers, so that both precisions get the same; None for layers
            that get whole numbers, which are the same already.
    """

    pairing: CallPairing
    flax: NDArray | None = None
    torch: NDArray | None = None


def introduced(state: CheckState) -> dict[tuple[str, str], Finding]:
    """The referee's on the output of each layer that is fed alone, by the name of PyTorch's call and the mode. Takes
    one forward pass a side and precision.

    What the state holds of that mode's layers is let go of if it all agrees; see `CheckState.release`.
    """
    both = state.passes[MODE]
    calls = both.flax["float64"].calls, both.torch["float64"].calls
    fed = list(_fed(state, *calls))
    if not fed:
        return {}
    starts = [[calls[0][layer.pairing.pair.flax].start, calls[1][layer.pairing.pair.torch].start] for layer in fed]
    names = call_names([call.path for call in calls[1]])
    del both, calls
    state.release(MODE)
    feeds = {
        "flax": {start[0]: (layer.flax,) for start, layer in zip(starts, fed, strict=True) if layer.flax is not None},
        "torch": {
            start[1]: (layer.torch,) for start, layer in zip(starts, fed, strict=True) if layer.torch is not None
        },
    }
    pairings = [layer.pairing for layer in fed]
    seen = {p: [_outputs(state, side, p, feeds[side], pairings) for side in SIDES] for p in PRECISIONS}
    return {
        (names[pairing.pair.torch], MODE): _finding(names[pairing.pair.torch], [seen[p] for p in PRECISIONS], number)
        for number, pairing in enumerate(pairings)
    }


def _outputs(
    state: CheckState, side: Side, precision: Precision, feeds: Feeds, pairings: Sequence[CallPairing]
) -> list[NDArray]:
    """What the calls of these pairings give on a side, whose layers are fed."""
    calls = state.sides.run_pass(side, state.proof.arrays(side), MODE, precision, gradients=False, feeds=feeds).calls
    places = [(getattr(p.pair, side), p.leaf_flax if side == "flax" else p.leaf_torch) for p in pairings]
    return [floating(calls[call].outputs)[leaf] for call, leaf in places]


def _finding(name: str, seen: Sequence[Sequence[Sequence[NDArray]]], number: int) -> Finding:
    """The finding on the n-th of what both sides give in float64 and in float32."""
    (a, b), (low_a, low_b) = ((flax[number], torch[number]) for flax, torch in seen)
    if (turn := turned(a, b)) is not None:
        a, low_a = turn[1](a), turn[1](low_a)
    return replace(compare("output alone", name, a, b, low_b, low_a, mode=MODE), isolated=True)


def _fed(state: CheckState, flax: Sequence[Call], torch: Sequence[Call]) -> Iterator[FedLayer]:
    """The layers that hold no other, of known kinds, that get one array in a layout that both have."""
    for pairing in state.calls[MODE]:
        ours, theirs = flax[pairing.pair.flax], torch[pairing.pair.torch]
        kind = "custom" if pairing.pair.layer is None else state.weight_map.layers[pairing.pair.layer].torch.kind
        if kind in NOT_FED:
            continue
        if pairing.turn != ONE_FOR_ALL and _is_leaf(flax, pairing.pair.flax) and _is_leaf(torch, pairing.pair.torch):
            a, b = floating(ours.inputs), floating(theirs.inputs)
            if len(a) == len(b) == 1:
                yield from _turned(pairing, kind, a[0], b[0])
            elif not a and not b and all(map(np.array_equal, ours.inputs, theirs.inputs)):
                yield FedLayer(pairing)


def _turned(pairing: CallPairing, kind: str, flax: NDArray, torch: NDArray) -> Iterator[FedLayer]:
    """The layer, fed PyTorch's input on both sides; none if no layout turns it into the shape of Flax's input.

    The layout is that of the layer's kind if it fits, since inputs that differ already cannot tell it.
    """
    moved = "channels last to first"
    fit = dict(turns(flax.shape, torch.shape))
    nearest = turned(flax, torch)
    name = moved if kind in CHANNELS_FIRST and moved in fit else nearest[0] if nearest else None
    if name is not None:
        feed = single(torch)
        yield FedLayer(pairing, turn_back(name, feed, flax.shape), feed)


def _is_leaf(calls: Sequence[Call], place: int) -> bool:
    """Whether no call has begun and ended inside."""
    return place == 0 or calls[place - 1].start < calls[place].start
