"""Takes the piece of both networks apart that a difference begins in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.checks.verdict import Verdict
from parity.interface.observation import Call, Inputs, Mask
from parity.interface.programs.program import Program
from parity.pair.arrays.inputs import arrays, changed, with_arrays
from parity.pair.arrays.layout import TURNS, turned, turns
from parity.pair.causes.search.piece import SIDES, Half, Piece, agrees, distance
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import first_apart
from parity.pair.weightmap import random_weights as weights

ANOTHER = 1_000_003
"""What is added to a check's seed for the weights that a cause is confirmed with."""


@dataclass(frozen=True)
class Target:
    """A value that differs: what it is in each side's program.

    Args:
        kind: "inputs" or "outputs" of a call, "result", "loss" or "buffer".
        flax, torch: the place of the call and of the array in it, or the name.
        features: the shape (channels, *spatial) of the map that PyTorch flattened to it, where each side has these
            features in its own order.
    """

    kind: str
    flax: tuple[int, int] | str
    torch: tuple[int, int] | str
    features: tuple[int, ...] = ()

    def value(self, program: Program, side: str) -> int:
        """The number of the value in a side's program.

        Raises:
            KeyError: the program has no such value.
        """
        where = self.flax if side == "flax" else self.torch
        if isinstance(where, tuple):
            return getattr(program.calls[where[0]], self.kind)[where[1]]
        if self.kind == "loss":
            assert program.named.loss is not None
            return program.named.loss
        return (program.named.results if self.kind == "result" else program.named.buffers)[where]


@dataclass(frozen=True)
class Numbers:
    """What the operations are given: each side's arrays, the inputs, and the mode."""

    native: Mapping[str, Mapping[str, NDArray]]
    mode: str
    inputs: Inputs | None = None


def numbers_of(state: CheckState, mode: str, inputs: Inputs | None) -> Numbers:
    """Those of the check's own passes, on the user's inputs or on those."""
    torch = state.proof.torch
    flax = state.proof.flax if mode == "evaluation" else None
    if flax is None:
        flax = weights.to_flax(state.weight_map, torch, state.sides.flax.native)
    return Numbers({"flax": flax, "torch": torch}, mode, inputs)


def other_numbers(state: CheckState, mode: str, inputs: Inputs | None) -> Numbers:
    """Others: weights drawn anew, and floating inputs with their batch the other way round."""
    shown = state.sides.inputs if inputs is None else inputs
    backwards = changed(shown, lambda a: a[::-1].copy() if a.ndim else a)
    return Numbers(_drawn(state, 0), mode, backwards)


def more_numbers(state: CheckState, mode: str, inputs: Inputs | None) -> Iterator[Numbers]:
    """Others still, without end: where a probe shows the difference, the user's own inputs first; then those that show
    it, or the user's where they are as large, with all their numbers in another order, and whole ones drawn anew from
    the smallest to the largest."""
    users = state.sides.inputs
    shown = users if inputs is None else inputs
    if inputs is not None:
        yield Numbers(_drawn(state, 1), mode, users)
    alike = [array.shape for array in arrays(users).values()] == [array.shape for array in arrays(shown).values()]
    ends = [_ends(both) for both in zip(arrays(shown).values(), arrays(users).values(), strict=True)]
    for trial in count(2):
        taken = users if alike and trial % 2 else shown
        yield Numbers(_drawn(state, trial), mode, _mixed(taken, ends, np.random.default_rng(trial)))


def _drawn(state: CheckState, trial: int) -> dict[str, Mapping[str, NDArray]]:
    """The arrays of both sides with weights drawn anew; each trial has others."""
    torch = weights.random_weights(state.weight_map, state.sides.torch.native, state.sides.seed + ANOTHER + trial)
    return {"flax": weights.to_flax(state.weight_map, torch, state.sides.flax.native), "torch": torch}


def _ends(both: Sequence[NDArray]) -> tuple[int, int]:
    """The smallest and the largest of the whole numbers of both arrays; zeros for other arrays."""
    whole = all(array.dtype.kind in "iu" and array.size for array in both)
    return (min(int(a.min()) for a in both), max(int(a.max()) for a in both)) if whole else (0, 0)


def _mixed(inputs: Inputs, ends: Sequence[tuple[int, int]], rng: Generator) -> Inputs:
    """The inputs with floating numbers in another order, and whole numbers of more than two values drawn anew.

    Args:
        inputs: the inputs.
        ends: the smallest and the largest whole number of each array among them, in order.
        rng: draws.
    """
    left = iter(ends)

    def mixed(_: str, array: NDArray) -> NDArray:
        low, high = next(left)
        if array.dtype.kind == "f":
            return rng.permutation(array.ravel()).reshape(array.shape)
        return rng.integers(low, high + 1, array.shape).astype(array.dtype) if high - low > 1 else array

    return with_arrays(inputs, mixed)


def piece_of(
    state: CheckState,
    target: Target,
    numbers: Numbers,
    agreeing: Sequence[CallPairing],
    torch_mask: Mask | None = None,
) -> Piece:
    """The piece before a target, starting from the outputs of calls that agree.

    Args:
        state: what is known of the pair.
        target: what differs.
        numbers: what the operations are given.
        agreeing: calls whose outputs agree, and from which the piece starts.
        torch_mask: what PyTorch's dropout does; None for what it does in the check.

    Raises:
        UserCodeError: a network raised something.
    """
    return cut(programs_of(state, numbers, torch_mask), target, agreeing, result_names(state, numbers.mode))


def programs_of(
    state: CheckState, numbers: Numbers, torch_mask: Mask | None = None, *, derivatives: bool = False
) -> dict[str, Program]:
    """Both sides' passes, operation by operation, and how these are derived if that is asked for; see `piece_of`."""
    masks = state.masks(numbers.mode)
    programs: dict[str, Program] = {}
    for side in reversed(SIDES):  # PyTorch first, which the masks of dropout ask for
        mask = None if masks is None else getattr(masks, side)
        mask = torch_mask if side == "torch" and torch_mask is not None else mask
        arguments = numbers.native[side], numbers.mode, numbers.inputs, mask
        programs[side] = state.sides.program(side, *arguments, derivatives=derivatives)  # type: ignore[arg-type]
    return programs


def cut(
    programs: Mapping[str, Program],
    target: Target,
    agreeing: Sequence[CallPairing],
    results: Sequence[tuple[str, str]],
) -> Piece:
    """The piece of two programs before a target, starting from the outputs of calls that agree.

    Args:
        programs: each side's operations.
        target: what differs.
        agreeing: the calls.
        results: names of what the networks return, Flax's and PyTorch's.
    """
    ends = [end for end in ends_of(programs, results) if agree(programs, end)]
    halves: dict[str, Half] = {}
    for side, program in programs.items():
        value = target.value(program, side)
        places = [_value(program, side, pairing) for pairing in agreeing]
        starts = [each for each in places if each is not None and each != value]
        beside = [end.value(program, side) for end in ends]
        program.start_from(dict(zip(starts, program.compute(starts), strict=True)))
        halves[side] = Half(program, value, [*starts, *(each for each in beside if each != value)])
    flax, torch = (halves[side].program.compute([halves[side].target])[0] for side in SIDES)
    fitting = [] if target.features else [turn for _, turn in turns(flax.shape, torch.shape)]
    if not fitting and (turn := turned(flax, torch, inside=True, features=target.features)) is not None:
        fitting = [turn[1]]
    return Piece(halves["flax"], halves["torch"], fitting or list(TURNS.values()))


def ends_of(programs: Mapping[str, Program], results: Sequence[tuple[str, str]]) -> list[Target]:
    """What both networks return, and their loss."""
    flax, torch = (programs[side].named.results for side in SIDES)
    ends = [Target("result", a, b) for a, b in results if a in flax and b in torch]
    lossy = all(program.named.loss is not None for program in programs.values())
    return [*ends, Target("loss", "", "")] if lossy else ends


def agree(programs: Mapping[str, Program], target: Target) -> bool:
    """Whether both sides have that value alike, in some layout."""
    flax, torch = (programs[side].compute([target.value(programs[side], side)])[0] for side in SIDES)
    turn = turned(flax, torch)
    return turn is not None and agrees(turn[1](flax), torch)


def _value(program: Program, side: str, pairing: CallPairing) -> int | None:
    """The value of a call's output that agrees."""
    call = program.calls[getattr(pairing.pair, side)]
    place = pairing.leaf_flax if side == "flax" else pairing.leaf_torch
    return call.outputs[place] if place < len(call.outputs) else None


def target_of(state: CheckState, mode: str) -> tuple[Target | None, list[CallPairing]]:
    """What differs first in the forward pass, and the calls before it that agree."""
    both, layers, pairings = state.passes[mode], state.compared[mode].layers, state.calls[mode]
    if len(layers) != len(pairings):
        return None, []
    at = first_apart(layers)
    agreeing = [p for p, layer in zip(pairings, layers, strict=True) if layer.finding.verdict.passes]
    if at is None:
        return result_of(state, mode), agreeing
    calls = both.flax["float64"].calls, both.torch["float64"].calls
    pairing = pairings[at]
    odd = inputs_apart(pairing, calls)
    if odd is not None and odd.fits:
        return inputs_target(pairing, odd), agreeing
    if odd is None and layers[at].inherited > AGREED:
        return None, agreeing
    flax = leaf_of(calls[0][pairing.pair.flax], pairing.leaf_flax)
    torch = leaf_of(calls[1][pairing.pair.torch], pairing.leaf_torch)
    return Target("outputs", (pairing.pair.flax, flax), (pairing.pair.torch, torch)), agreeing


@dataclass(frozen=True)
class Odd:
    """The places of two inputs that are not the same, and whether they fit each other in some layout: one side may pad
    before a layer what the other pads inside."""

    flax: int
    torch: int
    fits: bool


def inputs_target(pairing: CallPairing, odd: Odd) -> Target:
    """Two inputs that are not the same as what differs."""
    places = (pairing.pair.flax, odd.flax), (pairing.pair.torch, odd.torch)
    return Target("inputs", *places, pairing.pair.features_in)


def leaf_of(call: Call, place: int) -> int:
    """The place among all of a call's outputs of the n-th floating one."""
    floating = [i for i, array in enumerate(call.outputs) if np.issubdtype(array.dtype, np.floating)]
    return floating[place]


def inputs_apart(pairing: CallPairing, calls: tuple[Sequence[Call], Sequence[Call]]) -> Odd | None:
    """The first inputs of two calls that are not the same; None if all are. Whole numbers count where there are no
    others."""
    both = calls[0][pairing.pair.flax], calls[1][pairing.pair.torch]
    ours, theirs = ([(i, a) for i, a in enumerate(call.inputs) if a.dtype.kind == "f"] for call in both)
    if not ours and not theirs:
        ours, theirs = ([(i, a) for i, a in enumerate(call.inputs) if a.dtype.kind in "iu"] for call in both)
    for (i, a), (j, b) in zip(ours, theirs, strict=False):
        turn = turned(a, b, inside=True, features=pairing.pair.features_in)
        if turn is None or distance(turn[1](a), b) > AGREED:
            return Odd(i, j, turn is not None)
    return None


def result_of(state: CheckState, mode: str) -> Target | None:
    """The first of what the networks return that differs; None if all of it agrees."""
    odd = {f.name for f in state.compared[mode].results if f.verdict is Verdict.DIFFERENT}
    names = next(((a, b) for a, b in result_names(state, mode) if (b or "network") in odd), None)
    return None if names is None else Target("result", *names)


def result_names(state: CheckState, mode: str) -> list[tuple[str, str]]:
    """Names of what the networks return, Flax's and PyTorch's: floating numbers first, then whole ones."""
    results = state.sides.results.of(mode)
    return [*zip(*results.floating, strict=True), *zip(*results.exact, strict=True)]
