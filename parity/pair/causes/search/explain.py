"""The first difference with its cause, proven by undoing it; what is not proven is only suspected."""

import os
from collections.abc import Sequence
from dataclasses import replace

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.observation import Inputs
from parity.pair.causes.search.elsewhere import dropout_rate, lone_arrays
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, other
from parity.pair.causes.search.operation import parting
from parity.pair.causes.search.piece import SIDES, Piece, same_numbers
from parity.pair.causes.search.places import Target, numbers_of, other_numbers, piece_of, target_of
from parity.pair.causes.search.search import Cause, search
from parity.pair.causes.undone import undone_of
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.report.records import Difference, Explanation, Lint

DEBUG = "NETPARITY_DEBUG"
"""The environment variable with which a fault of our own is raised."""
Targeted = tuple[Target | None, list[CallPairing]]


def explained_by_undoing(
    difference: Difference | None,
    state: CheckState,
    rungs: Sequence[Rung],
    clue: Difference | None = None,
    inputs: Inputs | None = None,
) -> Difference | None:
    """The difference with a proven cause, if one is found; else what was said to be the cause is suspected.

    Args:
        difference: the first difference.
        state: what is known, before any convention was undone.
        rungs: the rungs; the first that differs is the difference's.
        clue: the difference with what the numbers say of it.
        inputs: the inputs that show it; None if they are the user's.
    """
    if difference is None or difference.proof:
        return difference
    try:
        found = _found(difference, state, rungs, clue, inputs)
    except Exception:  # an edit may make a user's network do anything; the check goes on without a cause
        if DEBUG in os.environ:
            raise
        found = None
    return _suspected(difference, clue) if found is None else found


def _suspected(difference: Difference, clue: Difference | None) -> Difference:
    """The difference without a cause that nobody has proven."""
    if difference.rung not in RUNGS:
        return difference
    causes = [said.cause for said in (difference, clue) if said is not None and said.cause]
    return replace(difference, cause="", mend="", suspected=tuple(dict.fromkeys(causes)))


LARGEST = 2**25
"""Numbers of a pass's calls: the operations of larger networks, which are held all at once, are not looked at."""
RUNGS = ("forward", "gradients", "state")
"""Rungs whose differences have operations."""


def _found(
    difference: Difference,
    state: CheckState,
    rungs: Sequence[Rung],
    clue: Difference | None,
    inputs: Inputs | None,
) -> Difference | None:
    """The difference with its cause, or with its place alone; None if nothing is found."""
    if difference.rung == "structure":
        return _with(difference, lone_arrays(state))
    target, agreeing = _target(difference, state, rungs)
    if target is None or _size(state, difference.mode) > LARGEST:
        return None
    mode = difference.mode
    numbers = numbers_of(state, mode, inputs), other_numbers(state, mode, inputs)
    if (rate := dropout_rate(state, target, agreeing, numbers)) is not None:
        return _with(difference, rate)
    piece = piece_of(state, target, numbers[0], agreeing)
    difference = replace(difference, lines=_placed(piece))
    cause = search(piece, lambda: [piece_of(state, target, numbers[1], agreeing)])
    return _suspected(difference, clue) if cause is None else _told(difference, cause, piece, state.lints)


def _size(state: CheckState, mode: str) -> int:
    """The numbers that all calls of a pass give."""
    return sum(array.size for call in state.passes[mode].torch["float64"].calls for array in call.outputs)


def _placed(piece: Piece) -> dict[str, str]:
    """Each side's line of the operation at which the programs part."""
    found = parting(piece)
    if found is None:
        return {}
    places = {side: piece.half(side).program.operations[getattr(found, side)].place for side in SIDES}
    return {side: place for side, place in places.items() if place}


def _with(difference: Difference, found: Explanation | None) -> Difference | None:
    if found is None:
        return None
    return replace(difference, cause=found.cause, mend=found.mend, proof=found.proof, undone=found.undone)


def _target(difference: Difference, state: CheckState, rungs: Sequence[Rung]) -> Targeted:
    """The value that differs, and the calls that agree."""
    finding = next((rung.headline for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    if difference.mode not in state.compared or finding is None or difference.rung not in RUNGS:
        return None, []
    if difference.rung == "forward":
        return target_of(state, difference.mode)
    layers, pairings = state.compared[difference.mode].layers, state.calls[difference.mode]
    agreeing = [p for p, layer in zip(pairings, layers, strict=False) if layer.finding.verdict.passes]
    if difference.rung == "gradients":
        return (Target("loss", "", "") if finding.quantity == "loss" else None), agreeing
    return _buffer(finding, state), agreeing


def _buffer(finding: Finding, state: CheckState) -> Target | None:
    for layer, array in state.weight_map.arrays:
        if finding.quantity == "buffer" and layer.array_name(array) == finding.name:
            return Target("buffer", array.flax.names[0], array.torch.names[0])
    return None


def _told(difference: Difference, cause: Cause, piece: Piece, lints: Sequence[Lint]) -> Difference:
    hypothesis = cause.hypothesis
    lines = _lines(hypothesis, piece)
    proof = (
        f"undone in {NAMES[hypothesis.side]}, the gap there falls from {cause.before:.2g} to {cause.after:.2g} of its "
        f"size, also with other weights"
    )
    text, mend = hypothesis.text, hypothesis.mend
    known = _lint(hypothesis, difference, lints)
    if known is not None:
        text, mend = known.text, known.mend or mend
    elif place := lines.get(hypothesis.side):
        text = f"{text} ({place})"
    half = piece.half(hypothesis.side)
    undone = undone_of(hypothesis.side, half.program, hypothesis.edits(piece), half.numbers)
    return replace(difference, cause=text, mend=mend, proof=proof, lines={**difference.lines, **lines}, undone=undone)


def _lint(hypothesis: Hypothesis, difference: Difference, lints: Sequence[Lint]) -> Lint | None:
    """What is known to be declared differently in that layer, if it is the setting that was undone."""
    here = [lint for lint in lints if lint.layer_torch and lint.layer_torch == difference.layer_torch]
    return next(
        (lint for lint in here if lint.setting and f" {lint.setting}" in hypothesis.text.replace("'s", "")), None
    )


def _lines(hypothesis: Hypothesis, piece: Piece) -> dict[str, str]:
    """The user's lines of what differs: that of the operation that is undone, and that of the other side's operation
    that gives the same numbers once it is."""
    half, theirs = piece.half(hypothesis.side), piece.half(other(hypothesis.side))
    lines = {}
    if hypothesis.operation is not None:
        each = half.program.operations[hypothesis.operation]
        lines[hypothesis.side] = each.place
        value = hypothesis.value if hypothesis.value is not None else each.results[0]
        array = half.value(value, hypothesis.edits(piece))
        for candidate in reversed(theirs.made) if array is not None and array.size > 1 else ():
            if array is not None and same_numbers(array, theirs.values[candidate]):
                lines[other(hypothesis.side)] = theirs.program.operations[theirs.program.maker[candidate]].place
                break
    return {side: lines[side] for side in SIDES if lines.get(side)}
