"""The users' losses at outputs and targets beyond their own: sure probabilities, large outputs, other labels.

A loss is computed again from the operations of both passes, with other numbers in the place of what the networks return
and of the targets, so that nothing is compiled.
"""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.checks.verdict import Finding, Verdict
from parity.interface.programs.operations import numbers_in
from parity.interface.programs.program import Program
from parity.interface.trace import Arrays
from parity.interface.tree import leaves
from parity.interface.user_code import DEBUG
from parity.pair.arrays.domain import domain_of
from parity.pair.causes.explained import PROBED_LOSS
from parity.pair.causes.search.effort import limited
from parity.pair.causes.search.hypothesis import NAMES
from parity.pair.causes.search.piece import SIDES, Half, Piece
from parity.pair.causes.search.search import search
from parity.pair.causes.search.several.lines import lines_of
from parity.pair.causes.undone import undone_of
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.probing.borders import COMPARISONS
from parity.report.records import Explanation

MODE = "evaluation"
LARGEST = 2**22
"""Numbers of a pass's calls: the operations of larger networks are not recorded for this."""
LARGER = 30.0
"""Outputs of any size are multiplied by this, as inputs are."""
IGNORED = -100
"""The label that PyTorch leaves out by default; it is no number of the user's there."""


@dataclass(frozen=True)
class Other:
    """Other numbers for both losses.

    Args:
        name: a few words that say what is other.
        outputs: PyTorch's results by name, as far as they are other.
        targets: the targets by their place among all of them, as far as they are other.
    """

    name: str
    outputs: Mapping[str, NDArray]
    targets: Mapping[int, NDArray]


def loss_probes(state: CheckState) -> tuple[list[Finding], Explanation | None]:
    """The findings on the losses at other outputs and targets, and the cause of the first that differs, if one is
    proven; none where there are no losses, or their operations cannot be recorded.

    Args:
        state: What is known of the pair, whose losses agree on the user's own inputs.
    """
    sides = state.sides
    seen = state.passes[MODE].torch["float64"]
    if sides.objectives is None or sum(a.size for call in seen.calls for a in call.outputs) > LARGEST:
        return [], None
    try:
        losses = _Losses(state, {side: sides.program(side, state.proof.arrays(side), MODE) for side in SIDES})  # type: ignore[arg-type]
    except Exception:  # what cannot be recorded operation by operation
        return [], None
    names = sides.results.of(MODE).floating[1]
    users = {name: seen.outputs[name] for name in names}
    ruled = [(losses.ruled(other), other) for other in _others(users, losses.targets, losses.numbers)]
    odd = [other for finding, other in ruled if finding is not None and finding.verdict is Verdict.DIFFERENT]
    cause = losses.cause(odd[0], Other("", users, {})) if odd else None
    return [finding for finding, _ in ruled if finding is not None], cause


@dataclass(frozen=True)
class _Losses:
    """Both sides' passes with their losses, operation by operation."""

    state: CheckState
    programs: Mapping[str, Program]

    @property
    def targets(self) -> list[NDArray]:
        """The arrays of the targets, in order."""
        assert self.state.sides.objectives is not None
        every = leaves(self.state.sides.objectives[1].targets)
        return [leaf for _, leaf in every if isinstance(leaf, np.ndarray)]

    @property
    def numbers(self) -> set[int]:
        """Whole numbers that the operations compare with, or that are labels to leave out."""
        every = [operation for program in self.programs.values() for operation in program.operations]
        compared = [o.settings for o in every if o.name.strip("_") in COMPARISONS]
        written = {n for settings in compared for n in numbers_in(list(settings.values()))}
        ignored = {o.settings["ignore_index"] for o in every if "ignore_index" in o.settings} - {IGNORED}
        return {int(n) for n in (*written, *ignored) if float(n).is_integer()}

    def ruled(self, other: Other) -> Finding | None:
        """The finding on both losses at other numbers; None where a loss refuses them, or none is finite."""
        try:
            with np.errstate(all="ignore"):
                values = {side: float(self._loss(side, other)) for side in SIDES}
        except Exception:  # a loss may refuse what it is given
            return None
        finite = {side: np.isfinite(value) for side, value in values.items()}
        if not any(finite.values()):
            return None
        quantity = PROBED_LOSS + other.name
        size = max(abs(value) for value in values.values())
        gap = abs(values["flax"] - values["torch"]) / size if all(finite.values()) and size else 0.0
        if all(finite.values()) and gap <= AGREED:
            return Finding(quantity, "", Verdict.SAME, gap=gap, mode=MODE)
        reason = f"it is {values['flax']:.6g} in Flax and {values['torch']:.6g} in PyTorch"
        gap = gap if all(finite.values()) else np.inf
        return Finding(quantity, "", Verdict.DIFFERENT, np.inf, values=values, reason=reason, mode=MODE, gap=gap)

    def cause(self, other: Other, users: Other) -> Explanation | None:
        """The cause of losses that differ, which leaves them as they are at the user's own numbers; None if none is
        proven."""
        try:
            with limited(), np.errstate(all="ignore"):
                piece = self._piece(other)
                cause = search(piece, lambda: [self._piece(users)])
        except Exception:  # an edit may make a user's loss do anything; the check goes on without a cause
            if DEBUG in os.environ:
                raise
            return None
        if cause is None:
            return None
        hypothesis = cause.hypothesis
        place = lines_of(hypothesis, piece).get(hypothesis.side)
        text = f"{hypothesis.text} ({place})" if place else hypothesis.text
        proof = f"undone in {NAMES[hypothesis.side]}, the gap falls from {cause.before:.2g} to {cause.after:.2g}"
        half = piece.half(hypothesis.side)
        undone = undone_of(hypothesis.side, half.program, hypothesis.edits(piece), half.numbers)
        return Explanation(text, hypothesis.mend, f"{proof}, also at your own numbers", undone)

    def _piece(self, other: Other) -> Piece:
        flax, torch = (Half(program, _loss_of(program)) for program in (self._with(side, other) for side in SIDES))
        return Piece(flax, torch, [lambda array: array])

    def _loss(self, side: str, other: Other) -> NDArray:
        program = self._with(side, other)
        return program.compute([_loss_of(program)])[0]

    def _with(self, side: str, other: Other) -> Program:
        program = copy.copy(self.programs[side])
        results = self.state.sides.results
        outputs = dict(other.outputs)
        if side == "flax" and outputs:
            outputs = results.in_flax(outputs, MODE)
        fixed = {program.named.results[name]: array for name, array in outputs.items()}
        program.start_from({})
        for place, array in other.targets.items():
            fixed |= _in_place_of(program, self.targets[place], array)
        program.start_from(fixed)
        return program


def _loss_of(program: Program) -> int:
    assert program.named.loss is not None
    return program.named.loss


def _in_place_of(program: Program, target: NDArray, other: NDArray) -> dict[int, NDArray]:
    """Other numbers for the values of a program that are a target: those that are made of no value, and hold its
    numbers."""
    values = [v for v, (kind, name) in program.origins.items() if kind == "constant" or name.startswith("target")]
    values += [v for operation in program.operations if not operation.operands for v in operation.results]
    arrays = zip(values, program.compute(values), strict=True)
    return {v: other.astype(array.dtype) for v, array in arrays if np.array_equal(array, target)}


def _others(outputs: Arrays, targets: Sequence[NDArray], numbers: set[int]) -> Iterator[Other]:
    yield from _large_outputs(outputs)
    yield from _sure_outputs(outputs)
    yield from _labels(outputs, targets, numbers)
    sure = {i: _sure(a) for i, a in enumerate(targets) if a.dtype.kind == "f" and _is_probability(a)}
    if sure:
        yield Other("sure targets", {}, sure)


def _large_outputs(outputs: Arrays) -> Iterator[Other]:
    free = {name: LARGER * array for name, array in outputs.items() if not _is_probability(array)}
    if free:
        yield Other("large outputs", outputs | free, {})


def _sure_outputs(outputs: Arrays) -> Iterator[Other]:
    sure = {name: _sure(array) for name, array in outputs.items() if _is_probability(array)}
    if sure:
        yield Other("sure outputs", outputs | sure, {})


def _is_probability(array: NDArray) -> bool:
    """Whether all numbers lie between 0 and 1, and are not these alone."""
    return bool(array.size) and array.min() >= 0 and array.max() <= 1 and not np.isin(array, (0, 1)).all()


def _sure(array: NDArray) -> NDArray:
    """Some of the probabilities 0 and some 1: whole rows where they are shares of a whole."""
    if domain_of(array) == "shares":
        rows = array.reshape(-1, array.shape[-1]).copy()
        rows[::2] = np.eye(rows.shape[1], dtype=array.dtype)[np.arange(len(rows[::2])) % rows.shape[1]]
        return rows.reshape(array.shape)
    flat = array.ravel().copy()
    flat[::3], flat[1::3] = 0, 1
    return flat.reshape(array.shape)


def _labels(outputs: Arrays, targets: Sequence[NDArray], numbers: set[int]) -> Iterator[Other]:
    """Labels of the classes in turn, from the user's smallest on, and those that the code compares with."""
    classes = {i: count for i, a in enumerate(targets) if (count := _classes(a, outputs)) is not None}
    if not classes:
        return
    every = {i: _in_turn(targets[i], count, numbers) for i, count in classes.items()}
    yield Other("other labels", {}, every)
    for number in sorted(numbers - set(range(max(classes.values())))):
        changed = {i: targets[i].copy() for i in classes}
        for array in changed.values():
            array.reshape(-1)[::3] = number
        yield Other("labels in the code", {}, changed)


def _in_turn(labels: NDArray, count: int, numbers: set[int]) -> NDArray:
    first = int(labels[labels >= 0].min(initial=count - 1))
    classes = [number for number in range(count) if number >= first or number in numbers]
    return np.where(labels < 0, labels, np.resize(np.array(classes, labels.dtype), labels.shape))


def _classes(labels: NDArray, outputs: Arrays) -> int | None:
    """How many classes labels are of: the length of the one axis that an output has more; None if there is none."""
    if labels.dtype.kind not in "iu" or labels.size < 2:
        return None
    for array in outputs.values():
        for axis in {array.ndim - 1, 1} if array.ndim == labels.ndim + 1 else ():
            rest = array.shape[:axis] + array.shape[axis + 1 :]
            if rest == labels.shape and labels.max() < array.shape[axis]:
                return array.shape[axis]
    return None
