"""Both networks' passes as programs, in which causes are undone one after the other; what differs next is found."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from parity.interface.observation import Call
from parity.interface.programs.operations import Edit
from parity.interface.programs.program import Program
from parity.pair.arrays.layout import floating, turn_by
from parity.pair.causes.search.piece import SIDES, Piece, agrees
from parity.pair.causes.search.places import (
    Numbers,
    Target,
    agree,
    cut,
    ends_of,
    inputs_apart,
    inputs_target,
    leaf_of,
    programs_of,
    result_names,
)
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState


@dataclass(frozen=True)
class Following:
    """What differs next.

    Args:
        target: the value that differs.
        agreeing: the calls whose outputs agree.
        pairing: the calls that it belongs to; None for what the networks return and for a loss.
    """

    target: Target
    agreeing: Sequence[CallPairing]
    pairing: CallPairing | None = None


@dataclass
class Recorded:
    """One pass of both networks, with the same numbers.

    Args:
        state: what is known of the pair.
        numbers: what the operations are given.
        programs: each side's operations, with all that is undone so far.
    """

    state: CheckState
    numbers: Numbers
    programs: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.programs = self.programs or programs_of(self.state, self.numbers)

    def piece(self, target: Target, agreeing: Sequence[CallPairing]) -> Piece:
        """The piece before a target, starting from the outputs of calls that agree."""
        return cut(self.programs, target, agreeing, result_names(self.state, self.numbers.mode))

    def undo(self, side: str, edits: Sequence[Edit]) -> None:
        """Undo a cause for good."""
        self.programs[side].start_from({})
        self.programs[side] = self.programs[side].undone(edits)

    def following(self) -> Following | None:
        """The first value that still differs; None if none does."""
        for program in self.programs.values():
            program.start_from({})
        flax, torch = (self._calls(side) for side in SIDES)
        agreeing: list[CallPairing] = []
        first: Following | None = None
        for pairing in self.state.calls[self.numbers.mode]:
            ours, theirs = floating(flax[pairing.pair.flax].outputs), floating(torch[pairing.pair.torch].outputs)
            if agrees(turn_by(pairing.turn, ours[pairing.leaf_flax], theirs[pairing.leaf_torch].shape),
                     theirs[pairing.leaf_torch]):  # fmt: skip
                agreeing.append(pairing)
            elif first is None:
                first = Following(self._target(pairing, (flax, torch)), (), pairing)
        target = self._end()
        if target is None:
            return None  # what is returned agrees: what differs inside is computed otherwise, and no fault
        return Following(target, agreeing) if first is None else replace(first, agreeing=agreeing)

    def _calls(self, side: str) -> list[Call]:
        """Every call with the numbers that it has with all that is undone."""
        program = self.programs[side]
        both = getattr(self.state.passes[self.numbers.mode], side)
        values = list(dict.fromkeys(v for call in program.calls for v in (*call.inputs, *call.outputs)))
        arrays = dict(zip(values, program.compute(values), strict=True))
        return [
            replace(seen, inputs=tuple(arrays[v] for v in call.inputs), outputs=tuple(arrays[v] for v in call.outputs))
            for seen, call in zip(both["float64"].calls, program.calls, strict=True)
        ]

    def _target(self, pairing: CallPairing, calls: tuple[list[Call], list[Call]]) -> Target:
        ours, theirs = calls[0][pairing.pair.flax], calls[1][pairing.pair.torch]
        odd = inputs_apart(pairing, calls)
        if odd is not None and odd.fits:
            return inputs_target(pairing, odd)
        places = leaf_of(ours, pairing.leaf_flax), leaf_of(theirs, pairing.leaf_torch)
        return Target("outputs", (pairing.pair.flax, places[0]), (pairing.pair.torch, places[1]))

    def _end(self) -> Target | None:
        """The first of what the networks return, or of the loss, that differs."""
        ends = ends_of(self.programs, result_names(self.state, self.numbers.mode))
        return next((end for end in ends if not agree(self.programs, end)), None)
