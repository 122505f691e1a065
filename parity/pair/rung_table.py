"""The rungs of a pair from 3 on as one table: what is done for each, what it needs, and the rule that judges it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parity.checks.ladder import NAMES
from parity.checks.verdict import Rung, observed
from parity.pair.causes.explained import conventions_of
from parity.pair.ladder import LadderRun
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.drift import settled_gradients
from parity.pair.rungs.input_gradients import given_of
from parity.pair.rungs.loss import gradients_rung
from parity.pair.rungs.not_run import random_modes, with_ties, without_buffers, without_gradients, without_training_run
from parity.pair.rungs.probing.gradients import GradientProbes, gradient_probes, may_be_probed
from parity.pair.rungs.probing.losses import loss_probes
from parity.pair.rungs.probing.masks import without_masks
from parity.pair.rungs.probing.padding_row import padding_row_cause
from parity.pair.rungs.state import state_rung
from parity.pair.rungs.updates.causes import update_cause
from parity.pair.rungs.updates.training import complex_note, not_conjugated, trajectory_rung, update_rung

Reason = Callable[[LadderRun], str]
"""Says why a rung is not climbed; "" where nothing hinders it."""


@dataclass(frozen=True)
class PairRung:
    """One row of the table.

    Args:
        number: The rung's place on the ladder; its name is `ladder.NAMES[number]`.
        doing: What is said, in a few words, while it is climbed.
        needs: What the rung needs, in the order in which it is looked for; the first reason is the one that is told.
        rule: Judges the rung. It puts the conventions and the notes that it comes to into the run.
        unasked: Says which option of the user's the rung rests on and is not there; "" if it is, or it rests on none.
    """

    number: int
    doing: str
    needs: tuple[Reason, ...]
    rule: Callable[[LadderRun], Rung]
    unasked: Reason = lambda run: ""

    def climb(self, run: LadderRun) -> None:
        """Rule the rung, or keep the reason why it is not run.

        Raises:
            UserCodeError: A network, or other code of the users', raises something.
        """
        run.watch.step(self.number, self.doing)
        if why := next(filter(None, (need(run) for need in self.needs)), ""):
            run.not_run[self.number] = why
        else:
            run.ruled(self.rule(run))


def climb(run: LadderRun) -> None:
    """Climb the rungs of the table in order; rungs 1 and 2 are ruled, and both modes were run for them.

    Args:
        run: The check so far; verdicts, conventions, notes and reasons are put into it.

    Raises:
        UserCodeError: A network, or other code of the users', raises something.
    """
    run.not_run |= {row.number: why for row in TABLE if (why := row.unasked(run))}
    for row in TABLE:
        if row.number not in run.not_run:
            row.climb(run)


def _of_state(reason: Callable[[CheckState], str]) -> Reason:
    """The reason for a run that only what is known of the pair decides."""
    return lambda run: reason(run.state)


def _without_backward(run: LadderRun) -> str:
    return "" if run.state.sides.backward else "it needs backward passes, which were left out"


def _without_optimizers(run: LadderRun) -> str:
    return "no optimizers were given" if run.request.training.optimizers is None else ""


def _without_updates(run: LadderRun) -> str:
    return _without_optimizers(run) if run.schedules is None else ""


def _optimizers(run: LadderRun) -> Any:
    """The users' optimizers, PyTorch's with its scheduler where schedules are given too; None if there are none."""
    optimizers, schedules = run.request.training.optimizers, run.schedules
    if optimizers is None or schedules is None:
        return optimizers
    return optimizers[0], (optimizers[1], schedules.torch)


def _gradients(run: LadderRun) -> Rung:
    state = run.state
    shared = without_masks(state, given_of(state.sides, state.passes["evaluation"]))
    state.notes += [*shared.notes, *complex_note(state)]
    conjugated = not_conjugated(state, run.request.training.optimizers)
    judged, reduced = gradients_rung(state, shared, run.accept)
    run.conventions += reduced
    settled = judged if reduced else settled_gradients(state, shared, judged)
    if conjugated:
        settled = observed(3, NAMES[3], [*conjugated, *settled.findings])
        run.conventions += conventions_of(settled, run.accept)
    run.explanations.look(settled, run.rungs, lambda: padding_row_cause(state, settled))
    if not run.request.checks.probes:
        return settled
    fine = may_be_probed(state, settled)
    losses, cause = loss_probes(state) if fine else ([], None)
    beyond = gradient_probes(state) if fine else GradientProbes()
    if not beyond.findings and not losses:
        return settled
    probed = observed(3, NAMES[3], [*settled.findings, *losses, *beyond.findings])
    run.explanations.look(probed, run.rungs, lambda: cause)
    run.located |= {} if beyond.located is None else {3: beyond.located}
    run.conventions += conventions_of(probed, run.accept)
    return probed


def _state(run: LadderRun) -> Rung:
    ruled, conventions = state_rung(run.state, run.accept)
    run.conventions += conventions
    return ruled


def _update(run: LadderRun) -> Rung:
    optimizers, schedules = _optimizers(run), run.schedules
    ruled = update_rung(run.state, optimizers, schedules, probes=run.request.checks.probes)
    run.conventions += conventions_of(ruled, run.accept)
    run.explanations.look(ruled, run.rungs, lambda: update_cause(run.state, ruled, optimizers, schedules))
    return ruled


def _trajectory(run: LadderRun) -> Rung:
    return trajectory_rung(run.state, _optimizers(run))


TABLE = (
    PairRung(3, "gradients", (_without_backward, _of_state(without_gradients)), _gradients),
    PairRung(4, "state", (_of_state(random_modes), _of_state(without_buffers)), _state),
    PairRung(5, "optimizers", (), _update, unasked=_without_updates),
    PairRung(
        6,
        "training runs",
        (lambda run: without_training_run(run.state, run.rungs), _without_backward, _of_state(with_ties)),
        _trajectory,
        unasked=_without_optimizers,
    ),
)
"""Rungs 1 and 2 are no rows of it: no option and no network is without them, both are ruled from the same passes, and
the second is ruled twice, before the probes and after them."""
