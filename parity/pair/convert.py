"""Carries the user's own weights from one side to the other, by a map that was proven."""

from collections.abc import Sequence
from typing import Any, Literal

from parity.errors import UsageError
from parity.interface.side import Side
from parity.interface.trace import Arrays
from parity.interface.unit import Unit
from parity.pair.causes.conventions import known_names
from parity.pair.opened import OpenSides, proven_pair
from parity.pair.options import Request
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.progress import Progress
from parity.pair.rungs.forward import run_both_modes, without_conventions
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.ties import clashes

Direction = Literal["torch->flax", "flax->torch"]


def convert_sides(open_sides: OpenSides, inputs: Any, direction: Direction, request: Request) -> tuple[Side, Arrays]:
    """The side that receives, and the native arrays that it then holds.

    Args:
        open_sides: Makes both sides of their inputs.
        inputs: What the user calls both networks with.
        direction: Which side's weights the other one gets.
        request: How each side wants the inputs, the map, the seed, and which conventions are accepted.

    Returns:
        The receiving side, and its native arrays by name, float64 where they are floating.

    Raises:
        UsageError: The networks do not agree with any map in all but what is accepted, or an array of the receiving
            side that is learnt has no counterpart: what was carried over would not be the same network.
    """
    state = proven_pair(open_sides, inputs, request, Progress())
    pair, weight_map = state.sides, _agreed_map(state, known_names(request.checks.accept))
    from_torch = direction == "torch->flax"
    giver, receiver = (pair.torch, pair.flax) if from_torch else (pair.flax, pair.torch)
    _require_counterparts(receiver, weight_map.lone_flax if from_torch else weight_map.lone_torch)
    if clash := clashes(weight_map, giver.framework, giver.native):
        raise UsageError(f"{clash[0]} hold different numbers and {receiver.framework} ties them; tie them in both")
    carry = weights.to_flax if from_torch else weights.to_torch
    return receiver, carry(weight_map, giver.native, receiver.native)


def _agreed_map(state: CheckState, accept: Sequence[str]) -> WeightMap:
    """The map with which the networks agree in all but what is accepted.

    Raises:
        UsageError: There is none.
    """
    if state.proof.agrees:
        return state.proof.weight_map
    run_both_modes(state)
    undone, conventions = without_conventions(state, accept)
    if not conventions:
        raise UsageError(
            f"the networks do not agree in float64 with any of {state.proof.tried} maps that were tried; see what "
            f"differs with parity check, or give the right pairs with --map"
        )
    if refused := [convention.name for convention in conventions if not convention.accepted]:
        names = " and ".join(refused)
        raise UsageError(f"the networks agree in all but {names}; if that is no difference to you, accept {names}")
    return undone.proof.weight_map


def _require_counterparts(receiver: Side, lone: tuple[Unit, ...]) -> None:
    """Raise UsageError if a unit without a counterpart holds an array that the receiving side learns."""
    native = [name for unit in lone for packing in unit.arrays.values() for name in packing.names]
    if missing := [name for name in native if name in receiver.declared]:
        names = ", ".join(missing)
        raise UsageError(f"{names} of {receiver.framework} have no counterpart; give the right pairs with --map")
