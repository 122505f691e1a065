"""A cause for the first difference where no setting says one: from the numbers before it and at it."""

from collections.abc import Sequence
from dataclasses import replace

from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.checks.verdict import Verdict
from parity.pair.arrays.layout import floating, turn_by, turned
from parity.pair.causes.known_functions import NOTHING, applied, related
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import first_apart
from parity.report.records import Difference

NAMES = ("Flax", "PyTorch")
Both = tuple[NDArray, NDArray]
"""Flax's array, in PyTorch's layout, and PyTorch's."""


def with_clue(difference: Difference | None, state: CheckState) -> Difference | None:
    """The difference, with the functions that the sides apply there or how their numbers are related, if that is known.

    Args:
        difference: the first difference.
        state: what is known, before any convention was undone.
    """
    if difference is None or difference.cause or difference.rung != "forward" or difference.mode not in state.compared:
        return difference
    there, inputs = _numbers(state, difference.mode)
    text = _clue(inputs, there) if there is not None else ""
    return replace(difference, cause=text) if text else difference


def _numbers(state: CheckState, mode: str) -> tuple[Both | None, list[Both | None]]:
    """What differs first, and what it may have been made of: the last output that agrees, and the layer's own input
    where that agrees too."""
    both, layers, pairings = state.passes[mode], state.compared[mode].layers, state.calls[mode]
    if len(layers) != len(pairings):
        return None, []
    first = first_apart(layers)
    at = len(layers) if first is None else first
    passed = [pairing for pairing, layer in zip(pairings[:at], layers, strict=False) if layer.finding.verdict.passes]
    before: list[Both | None] = [_outputs(both, pairing) for pairing in passed[-1:]]
    if at == len(layers):
        return _result(state, mode), before
    if layers[at].inherited <= AGREED:
        return _outputs(both, pairings[at]), [*before, _inputs(both, pairings[at])]
    return _inputs(both, pairings[at]), before


def _clue(inputs: Sequence[Both | None], there: Both) -> str:
    """How the two numbers there are related, or the functions that make them of what was given."""
    if text := related(*there):
        return text
    for both in inputs:
        names = [applied(x, y) for x, y in zip(both, there, strict=True)] if both is not None else []
        if any(names) and names[0] != names[1]:
            order = 1 if names[0] else -1
            return ", ".join([f"{side} {_does(name)}" for side, name in zip(NAMES, names, strict=True)][::order])
    return ""


def _does(name: str) -> str:
    if not name:
        return "something else"
    return "takes the numbers as they are" if name == NOTHING else f"applies {name}"


def _result(state: CheckState, mode: str) -> Both | None:
    """The first of what the networks return that differs; None where it is not of one shape."""
    odd = {f.name for f in state.compared[mode].results if f.verdict is Verdict.DIFFERENT}
    pairs = zip(*state.sides.results.of(mode).floating, strict=True)
    names = next(((a, b) for a, b in pairs if (b or "network") in odd), None)
    if names is None:
        return None
    both = state.passes[mode]
    flax, torch = both.flax["float64"].outputs[names[0]], both.torch["float64"].outputs[names[1]]
    turn = turned(flax, torch)
    return None if turn is None else (turn[1](flax), torch)


def _outputs(both: BothSides, pairing: CallPairing) -> Both:
    flax = floating(both.flax["float64"].calls[pairing.pair.flax].outputs)[pairing.leaf_flax]
    torch = floating(both.torch["float64"].calls[pairing.pair.torch].outputs)[pairing.leaf_torch]
    return turn_by(pairing.turn, flax, torch.shape), torch


def _inputs(both: BothSides, pairing: CallPairing) -> Both | None:
    """The first floating inputs; None where there are none of one shape."""
    flax = floating(both.flax["float64"].calls[pairing.pair.flax].inputs)
    torch = floating(both.torch["float64"].calls[pairing.pair.torch].inputs)
    turn = turned(flax[0], torch[0], inside=True, features=pairing.pair.features_in) if flax and torch else None
    return None if turn is None else (turn[1](flax[0]), torch[0])
