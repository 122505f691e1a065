"""The whole check of a user's pair: map, prove, climb, and say what was found."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, observed
from parity.interface.observation import Inputs
from parity.interface.side import Side
from parity.interface.user_code import UserCodeError
from parity.pair.arrays.inputs import Adapter, adapt, as_inputs
from parity.pair.causes.conventions import known_names
from parity.pair.causes.explained import conventions_of, explained
from parity.pair.ladder import Clock, LadderRun
from parity.pair.passes.progress import Progress
from parity.pair.passes.sides import SidePair
from parity.pair.passes.user_errors import broken, nothing
from parity.pair.passes.work import CheckState
from parity.pair.rungs import forward as passes
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.drift import settled_gradients
from parity.pair.rungs.float32_tables import explaining
from parity.pair.rungs.input_gradients import given_of
from parity.pair.rungs.layer_alone import introduced
from parity.pair.rungs.loss import gradients_rung, objectives
from parity.pair.rungs.not_run import random_modes, without_gradients, without_training_run
from parity.pair.rungs.probes import probed
from parity.pair.rungs.schedule import STEPS, Schedules, as_schedules
from parity.pair.rungs.state import state_rung
from parity.pair.rungs.structure import structure, tie_convention
from parity.pair.rungs.trained import left_still
from parity.pair.rungs.training import trajectory_rung, update_rung
from parity.pair.weightmap import file as mapfile
from parity.pair.weightmap.match import WeightMap, match
from parity.pair.weightmap.prove import Proof
from parity.pair.weightmap.ties import tied
from parity.report.pair import Report

Open = Callable[[Inputs, Inputs], tuple[Side, Side]]
NO_BACKWARD = "it needs backward passes, which were left out"


def compare_sides(
    open_sides: Open,
    inputs: Any,
    *,
    name: str = "pair",
    seed: int = 0,
    backward: bool = True,
    watch: Progress | None = None,
    **options: Any,
) -> Report:
    """Check a pair of sides; the options are those of `parity.compare`. Where a network, or other code of the users',
    raises something, the rung that was running is inconclusive; where a backward pass does, all that needs none is
    compared in a second go.

    Args:
        open_sides: makes the sides of their inputs.
        backward: whether gradients are computed; without them there is no rung 3 and no rung 6.
        watch: told how the check goes on.

    Raises:
        UsageError: an option is not what it should be.
    """
    watch = watch or Progress()
    given = {"name": name, "seed": seed, "watch": watch, **options}
    try:
        return _compared(open_sides, inputs, backward=backward, **given)
    except UserCodeError as error:
        so_far, reason = watch.so_far() or nothing(name, seed), str(error)
        if not (error.backward and backward) or any(one.number == 3 for one in so_far.rungs):
            return broken(so_far, watch.rung, reason)
    watch.note(f"{reason}; again without backward passes")
    try:
        return broken(_compared(open_sides, inputs, backward=False, **given), 3, reason)
    except UserCodeError as error:
        return broken(watch.so_far() or nothing(name, seed), watch.rung, str(error))


def _compared(
    open_sides: Open,
    inputs: Any,
    *,
    name: str,
    seed: int,
    backward: bool,
    watch: Progress,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    optimizers: tuple[Any, Any] | None = None,
    schedules: Any = None,
    schedule_steps: int = STEPS,
    loss: Any = None,
    targets: Any = None,
    accept: Sequence[str] = (),
    dropout: str = "off",
    probe: bool = True,
    map_file: str | None = None,
    map_out: str | None = None,
) -> Report:
    accept = known_names(accept)
    rates = as_schedules(schedules, schedule_steps, optimizers)
    clock = Clock()
    watch.step(1, "mapping weights")
    couple = _couple(open_sides, inputs, to_flax, to_torch, seed, watch, backward)
    couple.objectives = objectives(loss, targets)
    work = passes.proven(couple, _matched(couple, map_file), seed, fixed=map_file is not None)
    work.shared = dropout == "shared"
    if map_out:
        mapfile.write(work.match, map_out)
    clock.mark("map")
    climb = LadderRun(name, work, watch, clock)
    work.still = _left_still(work, optimizers)
    _forward(climb, accept, probe)
    _gradients(climb, accept)
    _state(climb, accept)
    _training(climb, optimizers, rates)
    clock.mark("rest")
    watch.step(2, "layers alone")
    climb.alone = _introduced(work)
    clock.mark("alone")
    return climb.report()


def _forward(climb: LadderRun, accept: Sequence[str], probe: bool) -> None:
    """Rungs 1 and 2; what was seen on the way serves the others."""
    work = climb.work
    climb.watch.step(2, "forward and gradients")
    try:
        conventions, shown = passes.forward(work, accept)
    except UserCodeError:
        _ruled_in_evaluation(climb)
        raise
    found = rungs.forward(list(work.compared.values()))
    climb.clock.mark("passes")
    climb.tables = explaining(work)
    structural = structure(work)
    ties = tie_convention(work, structural, accept)
    first = [*ties, *conventions_of(structural, accept)]
    climb.conventions = [*first, *conventions]
    climb.ruled(structural)
    climb.ruled(shown or found)
    found_by_probes, climb.located = probed(work) if probe and work.proof.agrees else ([], None)
    climb.clock.mark("probes")
    found = observed(2, NAMES[2], [*found.findings, *found_by_probes])
    sure = [replace(c, confirmed=c.confirmed and explained(found.findings)) for c in conventions]
    climb.conventions = [*first, *sure, *conventions_of(found, accept)]
    if shown is not None:  # the rung as it was; the conventions are its cause if nothing differs without them
        found = replace(shown, findings=(*shown.findings, *found_by_probes))
    climb.ruled(found)


def _ruled_in_evaluation(climb: LadderRun) -> None:
    """What is known where a network does not come to the end of training mode."""
    if "evaluation" in climb.work.compared:
        climb.ruled(structure(climb.work))
        climb.ruled(rungs.forward(list(climb.work.compared.values())))


def _gradients(climb: LadderRun, accept: Sequence[str]) -> None:
    work = climb.work
    climb.watch.step(3, "gradients")
    if not work.couple.backward:
        climb.not_run[3] = NO_BACKWARD
        return
    if why := without_gradients(work):
        climb.not_run[3] = why
        return
    given = given_of(work.couple, work.views["evaluation"])
    work.notes += given.notes
    found, reduced = gradients_rung(work, given, accept)
    climb.conventions += reduced
    climb.ruled(found if reduced else settled_gradients(work, given, found))


def _state(climb: LadderRun, accept: Sequence[str]) -> None:
    climb.watch.step(4, "state")
    if why := random_modes(climb.work):
        climb.not_run[4] = why
    elif (state := state_rung(climb.work, accept)) is not None:
        climb.conventions += state[1]
        climb.ruled(state[0])
    else:
        climb.not_run[4] = "the map has no running statistics or other buffers"


def _training(climb: LadderRun, optimizers: tuple[Any, Any] | None, schedules: Schedules | None) -> None:
    if optimizers is not None and schedules is not None:
        optimizers = optimizers[0], (optimizers[1], schedules.torch)
    climb.not_run |= dict.fromkeys((5, 6), "no optimizers were given") if optimizers is None else {}
    if optimizers is not None or schedules is not None:
        climb.not_run.pop(5, None)
        climb.watch.step(5, "optimizers")
        climb.ruled(update_rung(climb.work, optimizers, schedules))
    if optimizers is None:
        return
    climb.watch.step(6, "training runs")
    if why := without_training_run(climb.work, climb.rungs):
        climb.not_run[6] = why
    elif not climb.work.couple.backward:
        climb.not_run[6] = NO_BACKWARD
    elif tied(climb.work.match):
        climb.not_run[6] = "a tied array trains otherwise than the two that the other side has, by definition"
    else:
        climb.ruled(trajectory_rung(climb.work, optimizers))


def _left_still(work: CheckState, optimizers: tuple[Any, Any] | None) -> frozenset[str]:
    """What the optimizers leave as it is; nothing, and a note, if they cannot be asked."""
    try:
        return left_still(work.couple, optimizers) if optimizers is not None else frozenset()
    except UserCodeError as error:
        work.notes.append(f"which parameters the optimizers train is not known: {error}")
        return frozenset()


def _introduced(work: CheckState) -> dict[tuple[str, str], Finding]:
    """What each layer introduces itself; nothing, and a note, if the layers are not to be had alone."""
    if random_modes(work):
        return {}
    try:
        return introduced(work.original or work)
    except UserCodeError as error:
        work.notes.append(f"layers alone: not tried, {error}")
        return {}


def prove_map(
    open_sides: Open,
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map_file: str | None = None,
    seed: int = 0,
) -> tuple[SidePair, Proof]:
    """The sides and the proof of their map; arguments as of `compare_sides`."""
    couple = _couple(open_sides, inputs, to_flax, to_torch, seed, Progress())
    return couple, passes.proven(couple, _matched(couple, map_file), seed, fixed=map_file is not None).proof


def _couple(
    open_sides: Open,
    inputs: Any,
    to_flax: Adapter,
    to_torch: Adapter,
    seed: int,
    watch: Progress,
    backward: bool = True,
) -> SidePair:
    given = as_inputs(inputs)
    flax, torch = open_sides(adapt(given, to_flax), adapt(given, to_torch))
    return SidePair(flax, torch, given, to_flax, to_torch, seed, watch=watch, backward=backward)


def _matched(couple: SidePair, map_file: str | None) -> WeightMap:
    flax, torch = ({n: a.shape for n, a in side.native.items()} for side in (couple.flax, couple.torch))
    with couple.watch.running("the search for Flax's layers"):
        ours = couple.flax.units
    with couple.watch.running("the first forward pass of PyTorch's network"):
        theirs = couple.torch.units
    if map_file is not None:
        return mapfile.read(map_file, ours, theirs, (flax, torch))
    return match(ours, theirs, flax, torch)
