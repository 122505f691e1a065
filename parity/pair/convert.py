"""Carries the user's own weights from one side to the other, by a map that was proven."""

from collections.abc import Callable
from typing import Any, Literal

from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.side import Side
from parity.interface.trace import Arrays
from parity.pair.arrays.inputs import Adapter
from parity.pair.compare import prove_map
from parity.pair.weightmap import random_weights as draws
from parity.pair.weightmap.ties import clashes

Direction = Literal["torch->flax", "flax->torch"]


def convert_sides(
    open_sides: Callable[[Inputs, Inputs], tuple[Side, Side]],
    inputs: Any,
    direction: Direction = "torch->flax",
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map_file: str | None = None,
    seed: int = 0,
) -> tuple[Side, Arrays]:
    """The side that receives, and the native arrays that it then holds.

    Raises:
        UsageError: the networks do not agree with any map that was found, or an array of the receiving side that is
            learnt has no counterpart: what was carried over would not be the same network.
    """
    couple, proof = prove_map(open_sides, inputs, to_flax=to_flax, to_torch=to_torch, map_file=map_file, seed=seed)
    if not proof.agrees:
        raise UsageError(
            f"the networks do not agree in float64 with any of {proof.tried} maps that were tried; see what "
            f"differs with parity check, or give the right pairs with --map"
        )
    receiver, lone = (
        (couple.flax, proof.match.lone_flax) if direction == "torch->flax" else (couple.torch, proof.match.lone_torch)
    )
    missing = [n for unit in lone for p in unit.arrays.values() for n in p.names if n in receiver.declared]
    if missing:
        names = ", ".join(missing)
        raise UsageError(f"{names} of {receiver.framework} have no counterpart; give the right pairs with --map")
    giver = couple.torch if direction == "torch->flax" else couple.flax
    if clash := clashes(proof.match, giver.framework, giver.native):
        raise UsageError(f"{clash[0]} hold different numbers and {receiver.framework} ties them; tie them in both")
    if direction == "torch->flax":
        return couple.flax, draws.carry(proof.match, couple.torch.native, couple.flax.native)
    return couple.torch, draws.carry_back(proof.match, couple.flax.native, couple.torch.native)
