"""The whole check of a user's pair: map, prove, go through the rungs, and say what was found."""

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, observed
from parity.errors import UsageError
from parity.interface.user_code import DEBUG, UserCodeError
from parity.pair.bar import BarMissedError
from parity.pair.causes.conventions import known_names
from parity.pair.causes.explained import conventions_of, explained
from parity.pair.causes.float32_tables import explaining
from parity.pair.ladder import Clock, LadderRun
from parity.pair.opened import OpenSides, proven_pair
from parity.pair.options import Request
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.progress import Progress
from parity.pair.passes.user_errors import broken, nothing, own_fault
from parity.pair.rung_table import climb
from parity.pair.rungs import forward as passes
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.as_compiled import as_compiled
from parity.pair.rungs.constants import saved_constants
from parity.pair.rungs.layer_alone import introduced
from parity.pair.rungs.not_run import random_modes
from parity.pair.rungs.probing.probes import probed
from parity.pair.rungs.result_order import exchanged_results
from parity.pair.rungs.structure import structure, tie_convention
from parity.pair.rungs.trained import left_still
from parity.pair.rungs.updates.schedule import as_schedules
from parity.pair.weightmap import file as map_file
from parity.report.pair import Report


def compare_sides(open_sides: OpenSides, inputs: Any, request: Request, watch: Progress | None = None) -> Report:
    """Check a pair of sides.

    Where a network, or other code of the users', raises something, the rung that was running is inconclusive; where a
    backward pass does, all that needs none is compared in a second go. A fault of our own makes it inconclusive too,
    and is raised if NETPARITY_DEBUG is set.

    Args:
        open_sides: Makes the sides of their inputs.
        inputs: What the user calls both networks with.
        request: What is asked.
        watch: Told how the check goes on; None tells nobody.

    Raises:
        UsageError: An option is not what it should be.
    """
    watch = watch or Progress()
    try:
        return _compared(open_sides, inputs, request, watch)
    except Exception as error:
        reason = _reason(error)
        if not _is_of_backward(error, request, watch):
            return _broken_off(request, watch, reason)
    watch.note(f"{reason}; again without backward passes")
    try:
        return broken(_compared(open_sides, inputs, replace(request, backward=False), watch), 3, reason)
    except Exception as error:
        return _broken_off(request, watch, _reason(error))


def _reason(error: Exception) -> str:
    """What is said of what ended a check.

    Raises:
        UsageError: It was one that is no fault of the users' code.
        Exception: It was a fault of our own, and these are to be raised.
    """
    if isinstance(error, UserCodeError):
        return str(error)
    if isinstance(error, UsageError) or DEBUG in os.environ:
        raise error
    return own_fault(error)


def _is_of_backward(error: Exception, request: Request, watch: Progress) -> bool:
    """Whether a backward pass of the users' code failed before rung 3 was ruled, so that all others can be."""
    if not (isinstance(error, UserCodeError) and error.backward and request.backward):
        return False
    so_far = watch.so_far()
    return so_far is None or all(rung.number != 3 for rung in so_far.rungs)


def _broken_off(request: Request, watch: Progress, reason: str) -> Report:
    """What was ruled so far, the rung that was running being inconclusive."""
    return broken(watch.so_far() or nothing(request.name, request.seed), watch.rung, reason)


def _compared(open_sides: OpenSides, inputs: Any, request: Request, watch: Progress) -> Report:
    training, checks = request.training, request.checks
    known_names(checks.accept)
    schedules = as_schedules(training.schedules, training.schedule_steps, training.optimizers)
    clock = Clock()
    watch.step(1, "mapping weights")
    run = LadderRun(request, proven_pair(open_sides, inputs, request, watch), watch, clock, schedules)
    if request.map_out:
        map_file.write(run.state.weight_map, request.map_out)
    clock.mark("map")
    run.state.still = _left_still(run.state, training.optimizers)
    with suppress(BarMissedError):
        _forward(run)
        climb(run)
    clock.mark("rest")
    return run.report()


def _forward(run: LadderRun) -> None:
    """Rungs 1 and 2; the passes that are run on the way serve the others."""
    run.watch.step(2, "forward and gradients")
    try:
        passes.run_both_modes(run.state)
        run.state, conventions = passes.without_conventions(run.state, run.accept)
    except UserCodeError:
        _ruled_in_evaluation(run)
        raise
    original = run.state.original
    judged, shown = rungs.forward(list(run.state.compared.values())), None
    if original is not None:
        shown = rungs.forward(list(original.compared.values()))
    run.clock.mark("passes")
    run.tables = explaining(run.state)
    run.state.notes += saved_constants(run.state)
    structural = structure(run.state)
    ties = tie_convention(run.state, structural, run.accept)
    structural_conventions = [*ties, *conventions_of(structural, run.accept)]
    run.conventions = [*structural_conventions, *conventions]
    run.ruled(structural)
    run.ruled(shown or judged)
    run.watch.step(2, "layers alone")
    run.alone = _introduced(run.state)
    run.clock.mark("alone")
    tried = run.request.checks.probes and run.state.proof.agrees
    by_probes, located = probed(run.state, run.accept) if tried else ([], None)
    run.located |= {} if located is None else {2: located}
    run.clock.mark("probes")
    compiled = as_compiled(run.state)
    run.clock.mark("as compiled")
    beyond = [*exchanged_results(run.state), *by_probes, *compiled]
    judged = observed(2, NAMES[2], [*judged.findings, *beyond])
    sure = [replace(c, confirmed=c.confirmed and explained(judged.findings)) for c in conventions]
    run.conventions = [*structural_conventions, *sure, *conventions_of(judged, run.accept)]
    if shown is not None:  # the rung as it was; the conventions are its cause if nothing differs without them
        judged = replace(shown, findings=(*shown.findings, *beyond))
    run.ruled(judged)


def _ruled_in_evaluation(run: LadderRun) -> None:
    """Rule on what is known where a network does not come to the end of training mode."""
    if "evaluation" in run.state.compared:
        run.ruled(structure(run.state))
        run.ruled(rungs.forward(list(run.state.compared.values())))


def _left_still(state: CheckState, optimizers: tuple[Any, Any] | None) -> frozenset[str]:
    """What the optimizers leave as it is; nothing, and a note, if they cannot be asked."""
    try:
        return left_still(state.sides, optimizers) if optimizers is not None else frozenset()
    except UserCodeError as error:
        state.notes.append(f"which parameters the optimizers train is not known: {error}")
        return frozenset()


def _introduced(state: CheckState) -> dict[tuple[str, str], Finding]:
    """What each layer introduces itself; nothing, and a note, if the layers cannot be run alone."""
    if random_modes(state):
        return {}
    try:
        return introduced(state.original or state)
    except UserCodeError as error:
        state.notes.append(f"layers alone: not tried, {error}")
        return {}
