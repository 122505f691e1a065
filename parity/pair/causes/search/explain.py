"""The first difference with its cause, proven by undoing it; what is not proven is only suspected."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.observation import Inputs
from parity.pair.causes.search.effort import limited
from parity.pair.causes.search.elsewhere import dropout_rate, lone_arrays, other_axis, randomness
from parity.pair.causes.search.gradients.derived import Derived
from parity.pair.causes.search.gradients.families import STAGES as GRADIENT_STAGES
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis
from parity.pair.causes.search.operation import lines_of_fork
from parity.pair.causes.search.piece import Piece
from parity.pair.causes.search.places import (
    Numbers,
    Target,
    more_numbers,
    numbers_of,
    other_numbers,
    target_of,
)
from parity.pair.causes.search.search import Cause
from parity.pair.causes.search.several.following import Following, Recorded
from parity.pair.causes.search.several.further import PlaceWithCauses, all_causes, rest_of, where
from parity.pair.causes.search.several.lines import lines_of
from parity.pair.causes.search.several.rewired import moved, rewirings
from parity.pair.causes.undone import undone_of
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import RANDOM
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
    if difference is None:
        return None
    try:
        if difference.proof:  # a convention, which was undone in the whole network
            return _with_lines(difference, state, inputs)
        with limited():
            outcome = _explained(difference, state, rungs, clue, inputs)
    except Exception:  # an edit may make a user's network do anything; the check goes on without a cause
        if DEBUG in os.environ:
            raise
        if difference.proof:
            return difference
        outcome = None
    return _suspected(difference, clue) if outcome is None else outcome


def _with_lines(difference: Difference, state: CheckState, inputs: Inputs | None) -> Difference:
    """A difference whose cause is known already, with the lines of the operations at which the programs part."""
    mode = difference.mode
    if difference.rung != "forward" or mode not in state.compared or _size(state, mode) > LARGEST:
        return difference
    target, agreeing = target_of(state, mode)
    if target is None:
        return difference
    piece = Recorded(state, numbers_of(state, mode, inputs)).piece(target, agreeing)
    return replace(difference, lines=lines_of_fork(piece))


def _suspected(difference: Difference, clue: Difference | None) -> Difference:
    """The difference without a cause that nobody has proven."""
    if difference.rung not in RUNGS:
        return difference
    causes = [version.cause for version in (difference, clue) if version is not None and version.cause]
    return replace(difference, cause="", mend="", suspected=tuple(dict.fromkeys(causes)))


MORE_WHOLE, MORE_OF_PROBES = 15, 5
"""Further numbers with which causes are confirmed: of whole numbers and truth values, each of which tells little, and
of what only a probe shows."""
LARGEST = 2**25
"""Numbers of a pass's calls: the operations of larger networks, which are held all at once, are not looked at."""
LARGEST_BACKWARD = 2**21
"""Numbers of a pass's calls: the gradients of larger networks are not looked at operation by operation."""
RUNGS = ("forward", "gradients", "state")
"""Rungs whose differences have operations."""


def _explained(
    difference: Difference,
    state: CheckState,
    rungs: Sequence[Rung],
    clue: Difference | None,
    inputs: Inputs | None,
) -> Difference | None:
    """The difference with its cause, or with its place alone; None if nothing is found."""
    if difference.rung == "structure":
        return _with(difference, lone_arrays(state) or other_axis(state))
    finding = next((rung.headline for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    if finding is not None and finding.quantity == RANDOM:
        return _with(difference, randomness(state))
    if difference.rung == "gradients" and finding is not None and finding.quantity.startswith("gradient"):
        return _of_gradients(difference, state, inputs)
    target, agreeing = _target(difference, state, rungs)
    if target is None or _size(state, difference.mode) > LARGEST:
        return None
    mode = difference.mode
    numbers = numbers_of(state, mode, inputs), other_numbers(state, mode, inputs)
    more = more_numbers(state, mode, inputs)
    if (rate := dropout_rate(state, target, agreeing, numbers)) is not None:
        return _with(difference, rate)
    shown = Recorded(state, numbers[0])

    def confirming(whole: bool) -> list[Recorded]:
        trials = MORE_WHOLE if whole else MORE_OF_PROBES if inputs is not None else 0
        return [Recorded(state, numbers[1]), *_recorded(state, islice(more, trials), shown)]

    steps = list(all_causes(shown, confirming, Following(target, agreeing)))
    if texts := rewirings(steps):
        if difference.rung == "forward" and (step := moved(state, numbers, agreeing)) is not None:
            return _of_piece(difference, step, state.lints)[0]
        here = _unexplained(difference, steps[0].piece, clue, True)
        return replace(here, suspected=(*texts, *here.suspected))
    by_place: list[list[Difference]] = []
    for each in steps:
        here = where(each.place, state, difference, each.piece) if by_place else difference
        unexplained = [] if each.causes else [_unexplained(here, each.piece, clue, not by_place)]
        by_place.append(unexplained or _of_piece(here, each, state.lints))
    differences = [each for step in by_place for each in step]
    first, *further = _once(by_place)
    what = (
        "what the networks return and the loss are" if difference.rung == "gradients" else "what the networks return is"
    )
    return replace(first, further=tuple(further), rest=rest_of(shown, difference, differences, what))


def _recorded(state: CheckState, numbers: Iterable[Numbers], shown: Recorded) -> Iterator[Recorded]:
    """Passes with other numbers of which the operations are the same; a network may refuse some, or take another
    branch."""
    for each in numbers:
        try:
            made = Recorded(state, each)
        except Exception:  # nobody knows what a user's network raises for other numbers
            continue
        if all(len(made.programs[s].operations) == len(shown.programs[s].operations) for s in NAMES):
            yield made


def _once(steps: Sequence[Sequence[Difference]]) -> list[Difference]:
    """The differences without those whose cause has been told at an earlier place: each turn of a loop has it again."""
    causes: set[tuple[str, str]] = set()
    kept: list[Difference] = []
    for step in steps:
        kept += [each for each in step if not each.cause or (each.cause, each.mend) not in causes]
        causes |= {(each.cause, each.mend) for each in step}
    return kept


def _of_gradients(difference: Difference, state: CheckState, inputs: Inputs | None) -> Difference | None:
    """The difference with its cause in the backward pass; None if none is found."""
    mode = difference.mode
    if mode not in state.compared or _size(state, mode) > LARGEST_BACKWARD:
        return None
    shown = Derived(state, numbers_of(state, mode, inputs))
    first = shown.following()
    if first is None:
        return None
    differences: list[Difference] = []
    another = other_numbers(state, mode, inputs)
    for each in all_causes(shown, lambda _: [Derived(state, another).like(shown)], first, GRADIENT_STAGES):
        here = difference if not differences else where(each.place, state, difference, each.piece)
        differences += _of_piece(here, each, state.lints)
    if not differences:
        return None
    rest = rest_of(shown, difference, differences, "all gradients are")
    return replace(differences[0], further=tuple(differences[1:]), rest=rest)


def _of_piece(here: Difference, step: PlaceWithCauses, lints: Sequence[Lint]) -> list[Difference]:
    """A difference for each cause of one piece, the first with its place."""
    return [_proven(replace(here, lines=step.lines), cause, cause.piece or step.piece, lints) for cause in step.causes]


def _unexplained(here: Difference, piece: Piece, clue: Difference | None, first: bool) -> Difference:
    here = replace(here, lines=lines_of_fork(piece))
    return _suspected(here, clue) if first else here


def _size(state: CheckState, mode: str) -> int:
    """The numbers that all calls of a pass give."""
    return sum(array.size for call in state.passes[mode].torch["float64"].calls for array in call.outputs)


def _with(difference: Difference, explanation: Explanation | None) -> Difference | None:
    if explanation is None:
        return None
    return replace(
        difference, cause=explanation.cause, mend=explanation.mend, proof=explanation.proof, undone=explanation.undone
    )


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


def _proven(difference: Difference, cause: Cause, piece: Piece, lints: Sequence[Lint]) -> Difference:
    hypothesis = cause.hypothesis
    lines = lines_of(hypothesis, piece)
    proof = _proof(cause)
    text, mend = hypothesis.text, hypothesis.mend
    known = _lint(hypothesis, difference, lints)
    if known is not None:
        text, mend = known.text, known.mend or mend
    elif place := lines.get(hypothesis.side):
        text = f"{text} ({place})"
    half = piece.half(hypothesis.side)
    undone = undone_of(hypothesis.side, half.program, hypothesis.edits(piece), half.numbers)
    return replace(difference, cause=text, mend=mend, proof=proof, lines={**difference.lines, **lines}, undone=undone)


def _proof(cause: Cause) -> str:
    falls = f"the gap there falls from {cause.before:.2g} to {cause.after:.2g} of its size, also with other weights"
    where = f"undone in {NAMES[cause.hypothesis.side]}"
    if cause.without is None:
        return f"{where}, {falls}"
    return f"{where} together with the other causes there, {falls}; with the others alone it is {cause.without:.2g}"


def _lint(hypothesis: Hypothesis, difference: Difference, lints: Sequence[Lint]) -> Lint | None:
    """What is known to be declared differently in that layer, if it is the setting that was undone."""
    here = [lint for lint in lints if lint.layer_torch and lint.layer_torch == difference.layer_torch]
    return next(
        (lint for lint in here if lint.setting and f" {lint.setting}" in hypothesis.text.replace("'s", "")), None
    )
