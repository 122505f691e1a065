"""The causes of differences in training: settings of PyTorch's optimizer, and numbers and steps of a schedule."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.programs.undone import Spot, Undone, source
from parity.interface.trace import Arrays
from parity.pair.causes.search.fixed import FixedProgram
from parity.pair.causes.search.piece import Half, Piece, distance
from parity.pair.causes.search.search import search
from parity.pair.causes.undone import undone_of
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import SidePair
from parity.pair.rungs.updates.schedule import Schedules
from parity.pair.rungs.updates.schedule_settings import setting_cause
from parity.pair.rungs.updates.training import Seen, optimizer_steps, rule_on
from parity.report.records import Explanation

LIKELY: Mapping[str, Sequence[Any]] = {
    "weight_decay": (0.0, 1e-4, 1e-2),
    "eps": (1e-8, 1e-7, 1e-6, 1e-10, 0.0),
    "momentum": (0.0, 0.9),
    "dampening": (0.0,),
    "alpha": (0.99, 0.9),
    "rho": (0.9, 0.95),
    "initial_accumulator_value": (0.0, 0.1),
    "lr_decay": (0.0,),
}
"""Setting of PyTorch's optimizers → what both libraries and people write."""
SWITCHES = ("foreach", "fused", "capturable", "differentiable")
"""Settings that change no number."""
COUNTER = 2**31 - 1
"""The number at which optax's counters of steps stop, which is no setting."""


@dataclass(frozen=True)
class _Changed:
    """An optimizer with one setting changed: in which group, None for all; what it is, and was."""

    optimizer: Any
    name: str
    group: int | None
    was: Any
    value: Any


def update_cause(
    state: CheckState, rung: Rung, optimizers: tuple[Any, Any] | None, schedules: Schedules | None
) -> Explanation | None:
    """The cause of what differs on rung 5, proven by undoing it; None if none is found.

    Args:
        state: What is known of the pair.
        rung: The rung as it was ruled; its headline is what is explained.
        optimizers: Optax's and PyTorch's, or PyTorch's with its scheduler; None if there are none.
        schedules: The schedules with their number of steps; None if there are none.
    """
    finding = rung.headline
    if finding is None or rung.verdict is not Verdict.DIFFERENT:
        return None
    if finding.quantity == "schedule" and schedules is not None:
        return schedule_cause(state.sides, schedules)
    return None if optimizers is None else _optimizer_cause(state, optimizers, finding)


def schedule_cause(sides: SidePair, schedules: Schedules) -> Explanation | None:
    """What is otherwise in optax's schedule, if undoing it there gives PyTorch's rates; None if nothing does.

    Args:
        sides: The two sides, which compute the rates.
        schedules: The schedules with their number of steps.
    """
    rates = sides.torch.rates(schedules.torch, schedules.steps, "float64")
    if (
        setting := setting_cause(schedules.flax, schedules.torch, _rates_of(sides, schedules.steps), rates)
    ) is not None:
        return setting
    flax = sides.flax.schedule_program(schedules.flax, schedules.steps)
    piece = Piece(Half(flax, flax.named.results[""]), Half(FixedProgram(rates), 0), [lambda array: array])
    cause = search(piece, lambda: [])
    if cause is None:
        flax_rates = sides.flax.rates(schedules.flax, schedules.steps, "float64")
        return _stairs(flax_rates, rates) or _lowest(flax_rates, rates, getattr(schedules.torch, "eta_min", None))
    text = cause.hypothesis.text.replace("Flax's", "optax's").replace("Flax ", "optax's schedule ")
    proof = f"undone in Flax, the gap falls from {cause.before:.2g} to {cause.after:.2g} over {schedules.steps} steps"
    undone = undone_of("flax", flax, cause.hypothesis.edits(piece), piece.flax.numbers)
    return Explanation(text, cause.hypothesis.mend, proof, undone if cause.hypothesis.side == "flax" else ())


def _rates_of(sides: SidePair, steps: int) -> Callable[[Any], NDArray]:
    """What computes the rates of a schedule of optax's, all steps at once."""

    def rates(schedule: Any) -> NDArray:
        program = sides.flax.schedule_program(schedule, steps)
        return program.compute([program.named.results[""]])[0]

    return rates


def _stairs(flax: NDArray, torch: NDArray) -> Explanation | None:
    """One schedule changes its rate every few steps only, the other at each."""
    steps, before = np.arange(len(flax)), distance(flax, torch)
    for length in range(2, len(flax) // 2 + 1):
        first = steps - steps % length
        for side, after in (("Flax", distance(flax[first], torch)), ("PyTorch", distance(torch[first], flax))):
            if closes(before, after):
                proof = f"undone in {side}, the gap falls from {before:.2g} to {after:.2g} over {len(flax)} steps"
                return _stairs_of(side, length, proof)
    return None


def _lowest(flax: NDArray, torch: NDArray, end: float | None) -> Explanation | None:
    """Both schedules fall along one curve to other ends: PyTorch's is a rate, optax's a share of the first rate.

    Args:
        flax, torch: The rates of both.
        end: The lowest rate of PyTorch's schedule, None where it names none.
    """
    low, high = int(flax.argmin()), int(flax.argmax())
    if end is None or not flax[high] > flax[low] or not flax[0] > 0:
        return None
    slope = (torch[high] - torch[low]) / (flax[high] - flax[low])
    start = torch[low] - slope * flax[low]
    before, after = distance(flax, torch), distance(slope * flax + start, torch)
    if not slope or not closes(before, after):
        return None
    return Explanation(
        f"optax's rate falls to {(end - start) / slope:.6g}, PyTorch's to {end:.6g} (eta_min)",
        f"write alpha={end / flax[0]:.6g} in optax: it is a share of the first rate, PyTorch's eta_min is a rate",
        f"with optax's rates brought to that end the gap falls from {before:.2g} to {after:.2g} over {len(flax)} steps",
    )


def _stairs_of(evenly: str, length: int, proof: str) -> Explanation:
    """The explanation where one side's rate changes at each step."""
    if evenly == "Flax":
        text = f"PyTorch's rate changes in stairs of {length} steps, optax's at each step"
        undone = Undone("flax", "change", Spot("schedule", ""), means=("apply", "floor"))
        return Explanation(text, "write staircase=True in optax", proof, (undone,))
    text = f"optax's rate changes in stairs of {length} steps, PyTorch's at each step"
    return Explanation(
        text, f"step PyTorch's scheduler once in {length} steps, or write staircase=False in optax", proof
    )


def _optimizer_cause(state: CheckState, optimizers: tuple[Any, Any], finding: Finding) -> Explanation | None:
    """The setting of PyTorch's optimizer that is otherwise than optax's, if all steps agree once it is."""
    seen = optimizer_steps(state, optimizers)
    alone, *scheduler = optimizers[1] if isinstance(optimizers[1], tuple) else (optimizers[1],)
    written = state.sides.flax.written(optimizers[0], seen.start["flax"])
    for changed in _changes(alone, written):
        other = (changed.optimizer, *scheduler) if scheduler else changed.optimizer
        try:
            steps = optimizer_steps(state, (optimizers[0], other), seen)
        except Exception:  # an optimizer may refuse a setting
            continue
        findings = rule_on(steps)
        gap = max((step.gap for step in findings), default=np.inf)
        if all(step.verdict.passes for step in findings) and closes(finding.gap, gap):
            where = "" if changed.group is None else f" of parameter group {changed.group}"
            text = (
                f"{changed.name}{where} is {_text(changed.was)} in PyTorch; with {_text(changed.value)} it is optax's"
            )
            proof = f"undone in PyTorch, the gap falls from {finding.gap:.2g} to {gap:.2g} over all steps"
            mend = f"write {changed.name}={_text(changed.value)} in PyTorch{where}"
            mend += (
                f", or {_text(changed.was)} in optax"
                if changed.value in written and not isinstance(changed.value, bool)
                else ""
            )
            spot = Spot(type(alone).__name__, "")
            undone = Undone("torch", "setting", spot, changed.name, source(changed.was), source(changed.value))
            return Explanation(text, mend, proof, (undone,))
    return _clipped(state, optimizers, seen, finding, written)


def _clipped(
    state: CheckState, optimizers: tuple[Any, Any], seen: Seen, finding: Finding, written: Sequence[float]
) -> Explanation | None:
    """A limit of gradients that is written in optax's optimizer, if all steps agree once PyTorch's have it too."""
    for limit in dict.fromkeys(float(number) for number in written if 0 < number < COUNTER):
        for what, mend, clip in CLIPS:
            steps = rule_on(optimizer_steps(state, optimizers, seen, lambda by, c=clip, m=limit: c(by, m)))  # type: ignore[misc]
            gap = max((step.gap for step in steps), default=np.inf)
            if all(step.verdict.passes for step in steps) and closes(finding.gap, gap):
                return Explanation(
                    f"optax clips gradients {what} {limit:.6g}, PyTorch's optimizer does not",
                    f"call {mend.format(limit)} before PyTorch's step, or leave the clipping away in optax",
                    f"with PyTorch's clipped so the gap falls from {finding.gap:.2g} to {gap:.2g} over all steps",
                )
    return None


def _by_norm(gradients: Arrays, limit: float) -> Arrays:
    norm = np.sqrt(sum(float(np.square(np.abs(a)).sum()) for a in gradients.values()))
    return {name: a if norm < limit else a / norm * limit for name, a in gradients.items()}


def _by_value(gradients: Arrays, limit: float) -> Arrays:
    return {name: np.clip(a, -limit, limit) for name, a in gradients.items()}


CLIPS = (
    ("to a global norm of", "torch.nn.utils.clip_grad_norm_(model.parameters(), {:.6g})", _by_norm),
    ("to values of at most", "torch.nn.utils.clip_grad_value_(model.parameters(), {:.6g})", _by_value),
)
"""What clipping is called, how it is written in PyTorch, and how it is done."""


def _changes(optimizer: Any, written: Sequence[float]) -> Iterator[_Changed]:
    """The optimizer with one setting changed, of all groups and then of each; and with those of two groups swapped."""
    groups = optimizer.param_groups
    names = [name for name in optimizer.defaults if name not in SWITCHES]
    for name in names:
        held = [group.get(name, optimizer.defaults[name]) for group in groups]
        for group in (None, *range(len(groups))) if len(groups) > 1 else (None,):
            was = held[group or 0]
            for value in _values(name, was, written):
                yield _Changed(_with(optimizer, name, group, value), name, group, was, value)
        if len(groups) > 1 and len(set(map(repr, held))) > 1:
            swapped = copy.deepcopy(optimizer)
            for settings, value in zip(swapped.param_groups, reversed(held), strict=True):
                settings[name] = value
            yield _Changed(_kept(optimizer, swapped), f"{name} (by group)", None, tuple(held), tuple(reversed(held)))


def _with(optimizer: Any, name: str, group: int | None, value: Any) -> Any:
    changed = copy.deepcopy(optimizer)
    if group is None:
        changed.defaults[name] = value
    for number, settings in enumerate(changed.param_groups):
        if name in settings and group in (None, number):
            settings[name] = value
    return _kept(optimizer, changed)


def _kept(original: Any, changed: Any) -> Any:
    """The changed optimizer over the user's own parameters, by which its groups are known."""
    for settings, group in zip(changed.param_groups, original.param_groups, strict=True):
        settings["params"] = group["params"]
    return changed


def _values(name: str, was: Any, written: Sequence[float]) -> Iterator[Any]:
    if isinstance(was, bool):
        yield not was
    elif isinstance(was, int | float):
        tried = dict.fromkeys((*written, *LIKELY.get(name, ())))
        yield from (value for value in tried if value != was and 0 <= value < COUNTER)
    elif isinstance(was, tuple) and len(was) == 2:
        inside = [value for value in written if 0 < value < 1]
        yield from ((value, was[1]) for value in inside if value != was[0])
        yield from ((was[0], value) for value in inside if value != was[1])


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
