"""Causes that are no operation's: draws in evaluation, rates of dropout, and arrays that only one side has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.interface.observation import Dropped
from parity.interface.packing import Packing, native_copy
from parity.interface.programs.undone import Spot, Undone, source
from parity.pair.arrays.layout import turned
from parity.pair.causes.search.hypothesis import NAMES, other
from parity.pair.causes.search.piece import distance
from parity.pair.causes.search.places import Numbers, Target, piece_of
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.report.records import Explanation

NEUTRAL: Mapping[str, float] = {"scale": 1.0, "bias": 0.0}
"""Role of an array → the number that leaves what it is applied to as it is."""
Side = Literal["flax", "torch"]
MODE = "evaluation"


SWITCHES: Mapping[Side, str] = {
    "flax": "pass deterministic=True to a dropout in evaluation, or draw no numbers then",
    "torch": "pass training=self.training to a dropout, or draw no numbers in evaluation",
}
"""Side → how its draws are left out in evaluation."""


def randomness(state: CheckState) -> Explanation | None:
    """Draws of one side in evaluation, which its network was seen to make when it was called twice."""
    drawn: dict[Side, tuple[str, ...]] = {
        "flax": state.sides.results.of(MODE).flax.random,
        "torch": state.sides.results.of(MODE).torch.random,
    }
    sides = [side for side, places in drawn.items() if places]
    if len(sides) != 1:
        return None
    side = sides[0]
    cause = f"{NAMES[side]} draws numbers in evaluation at {', '.join(drawn[side])}, and {NAMES[other(side)]} does not"
    proof = f"called twice in evaluation, {NAMES[side]}'s network gives two results, and {NAMES[other(side)]}'s one"
    return Explanation(cause, SWITCHES[side], proof)


def dropout_rate(
    state: CheckState, target: Target, agreeing: Sequence[CallPairing], numbers: Sequence[Numbers]
) -> Explanation | None:
    """A rate of dropout that is another one, if the gap closes with Flax's rates in PyTorch.

    Args:
        state: what is known of the pair.
        target: what differs first.
        agreeing: the calls that agree.
        numbers: what the operations are given, in each trial.
    """
    mode = numbers[0].mode
    masks, both = state.masks(mode), state.passes[mode]
    ours, theirs = both.flax["float64"].dropouts, both.torch["float64"].dropouts
    odd = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a.rate != b.rate), None)
    if masks is None or odd is None:
        return None

    def with_ours(number: int, used: Dropped) -> NDArray | None:
        return masks.torch(number, replace(used, rate=ours[number].rate) if number < len(ours) else used)

    before = [piece_of(state, target, each, agreeing).gap for each in numbers]
    after = [piece_of(state, target, each, agreeing, with_ours).gap for each in numbers]
    if not all(map(closes, before, after)):
        return None
    rates = f"{ours[odd].rate:g} in Flax, {theirs[odd].rate:g} in PyTorch"
    proof = f"with Flax's rate in PyTorch, the gap there falls from {before[0]:.2g} to {after[0]:.2g} of its size"
    mend = f"write {ours[odd].rate:g} in PyTorch: in both libraries it is the share that is dropped"
    undone = Undone("torch", "setting", Spot("dropout", ""), "p", source(theirs[odd].rate), source(ours[odd].rate))
    return Explanation(f"dropout {odd + 1}: the rate is {rates}", mend, proof, (undone,))


def lone_arrays(state: CheckState) -> Explanation | None:
    """Arrays that one side alone has, if the networks agree with neutral numbers in them and not with others."""
    lone = list(_lone(state))
    sides = {side for side, _, _ in lone}
    if not lone or len(sides) != 1 or any(role not in NEUTRAL for _, role, _ in lone):
        return None
    side = lone[0][0]
    drawn, neutral = (native_copy({**state.proof.arrays(side)}) for _ in range(2))
    rng = np.random.default_rng(0)
    for _, role, packing in lone:
        shape = packing.read(drawn).shape
        packing.write(NEUTRAL[role] + rng.standard_normal(shape), drawn)
        packing.write(np.full(shape, NEUTRAL[role]), neutral)
    before, after = _gap(state, {side: drawn}), _gap(state, {side: neutral})
    if not closes(before, after):
        return None
    names = ", ".join(name for _, _, packing in lone for name in packing.names)
    fall = f"the gap of what is returned falls from {before:.2g} to {after:.2g}"
    held = " and ".join(f"a {role} of {NEUTRAL[role]:g}" for role in dict.fromkeys(role for _, role, _ in lone))
    proof = f"with {held} in {NAMES[side]} in the place of others, {fall}"
    mend = f"give {NAMES[other(side)]}'s layer its scale and bias, or leave them out in {NAMES[side]}"
    return Explanation(f"{NAMES[side]} learns {names}, and {NAMES[other(side)]} has no such scale or bias", mend, proof)


def other_axis(state: CheckState) -> Explanation | None:
    """Two vectors without a counterpart, as long as two axes of one array beside them: what they are, a norm for
    example, is taken along another axis. Their shapes prove it."""
    lone = {side: [p for s, _, p in _lone(state) if s == side] for side in NAMES}
    if len(lone["flax"]) != 1 or len(lone["torch"]) != 1:
        return None
    ours, theirs = lone["flax"][0], lone["torch"][0]
    shapes = ours.read(state.sides.flax.native).shape, theirs.read(state.sides.torch.native).shape
    beside = next((array for _, array in state.weight_map.arrays if _are_axes(shapes, array.shape)), None)
    if beside is None:
        return None
    axes = [beside.shape.index(max(shape)) for shape in shapes]
    names, of = (" + ".join(ours.names), " + ".join(theirs.names)), beside.flax.names[0]
    cause = (
        f"{names[0]} of Flax has a number for each place along axis {axes[0]} of {of} {beside.shape}, {names[1]} of "
        f"PyTorch one for each along axis {axes[1]} (as it lies in Flax): what they hold is taken along another axis"
    )
    proof = f"their shapes are {shapes[0]} and {shapes[1]}, so that no numbers of one are the other's"
    return Explanation(cause, "take it along the same axis on both sides", proof)


def _are_axes(vectors: Sequence[tuple[int, ...]], shape: Sequence[int]) -> bool:
    """Whether two vectors are as long as two different axes of an array."""
    lengths = [max(vector, default=1) for vector in vectors]
    plain = all(np.prod(vector) == length > 1 for vector, length in zip(vectors, lengths, strict=True))
    return plain and len(shape) > 1 and lengths[0] != lengths[1] and set(lengths) <= set(shape)


def _lone(state: CheckState) -> Iterator[tuple[Side, str, Packing]]:
    sides: tuple[Side, Side] = ("flax", "torch")
    return ((side, role, packing) for side in sides for role, packing in state.weight_map.lone(side))


def _gap(state: CheckState, changed: Mapping[str, Mapping[str, NDArray]]) -> float:
    """The largest gap of what the networks return in evaluation, with other arrays of one side."""
    outputs = {}
    sides: tuple[Side, Side] = ("flax", "torch")
    for side in sides:
        arrays = state.proof.flax if side == "flax" else state.proof.torch
        seen = state.sides.run_pass(side, changed.get(side, arrays), MODE, "float64", gradients=False)
        outputs[side] = seen.outputs
    gaps = []
    for a, b in zip(*state.sides.results.of(MODE).floating, strict=True):
        turn = turned(outputs["flax"][a], outputs["torch"][b])
        gaps.append(np.inf if turn is None else distance(turn[1](outputs["flax"][a]), outputs["torch"][b]))
    return max(gaps, default=np.inf)
