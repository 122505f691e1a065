"""Rungs 5 and 6 of a pair: the user's optimizers alone, and training runs with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.ladder import MAGNITUDES, NAMES, STEPS, UPDATE_SHAPES
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.interface.random import single
from parity.interface.trace import Arrays, Trajectory
from parity.pair.arrays.domain import resized
from parity.pair.causes.explained import CONJUGATED, PROBED_OPTIMIZER, probe_of
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.updates.schedule import Schedules, learning_rates
from parity.pair.weightmap import random_weights as weights

LARGE = 1e4
"""The size of the gradients of one more step, which are beyond what anybody clips."""
LARGE_GRADIENTS = "large gradients"
"""The name of the probe that this step is."""
SIZES = (*MAGNITUDES, LARGE)
"""The sizes of the gradients, a step each."""
Change = Callable[[Arrays], Arrays]
"""Makes other gradients of one step's."""
CONJUGATES = "it is complex: JAX's gradient is the conjugate of PyTorch's, and the optimizers take both as they are"


@dataclass(frozen=True)
class Seen:
    """Both optimizers on one stream of gradients.

    Args:
        steps: side → precision → parameters after every step, by name.
        start: side → the parameters that it started from.
    """

    steps: Mapping[str, Mapping[str, Sequence[Arrays]]]
    start: Mapping[str, Arrays]


def update_rung(
    state: CheckState, optimizers: tuple[Any, Any] | None, schedules: Schedules | None, *, probes: bool = True
) -> Rung:
    """Rung 5: the schedules step by step, and the optimizers alone on one stream of gradients.

    Args:
        state: What is known of the pair.
        optimizers: Optax's and PyTorch's, or PyTorch's with its scheduler; None if there are none.
        schedules: The schedules with their number of steps; None if there are none.
        probes: Whether the step of large gradients counts.

    Raises:
        UserCodeError: An optimizer or a schedule raises something.
    """
    findings = [] if schedules is None else [learning_rates(state.sides, schedules)]
    if optimizers is not None:
        steps = rule_on(optimizer_steps(state, optimizers))
        findings += [step for step in steps if probes or not probe_of(step)]
    return rung(5, NAMES[5], findings)


def rule_on(seen: Seen) -> list[Finding]:
    """The findings on the optimizers alone, one for each parameter and step; the step of large gradients is a probe."""
    large = f"step {len(SIZES)}"
    return [
        replace(finding, quantity=PROBED_OPTIMIZER + LARGE_GRADIENTS) if finding.name.endswith(large) else finding
        for finding in rungs.update(seen.steps)
    ]


def optimizer_steps(
    state: CheckState, optimizers: tuple[Any, Any], known: Seen | None = None, change: Change | None = None
) -> Seen:
    """Both optimizers on one stream of gradients, in both precisions.

    The parameters are drawn, in the shapes of `ladder.UPDATE_SHAPES`. Where PyTorch's optimizer has groups of
    parameters, or some are complex, they have the shapes of the networks' own, so that each has its own settings.

    Args:
        state: What is known of the pair; its seed decides the numbers.
        optimizers: Optax's and PyTorch's, or PyTorch's with its scheduler.
        known: Earlier steps, of which those of Flax are taken over; None computes both sides'.
        change: Makes other gradients of those that PyTorch's optimizer is fed in a step; None leaves them.

    Raises:
        UserCodeError: An optimizer raises something.
    """
    is_split = _groups(optimizers[1]) > 1 or any(np.iscomplexobj(array) for array in state.proof.torch.values())
    streamed = _own_stream if is_split else _stream
    return streamed(state, optimizers, known, change)


def complex_note(state: CheckState) -> list[str]:
    """A note on complex parameters, if both sides learn any: JAX's gradients are the conjugates of PyTorch's."""
    learnt = rungs.learnable(state.weight_map, state.parameters)
    if not any(np.iscomplexobj(array.torch.read(state.proof.torch)) for _, array in learnt):
        return []
    return ["gradients of complex parameters are compared as PyTorch gives them; JAX's are their conjugates"]


def not_conjugated(state: CheckState, optimizers: tuple[Any, Any] | None) -> list[Finding]:
    """Findings on complex parameters whose gradients go to both optimizers as they are: JAX's is the conjugate of
    PyTorch's, so that Flax's side descends in another direction.

    Args:
        state: What is known of the pair.
        optimizers: Optax's and PyTorch's; None if there are none.
    """
    learnt = [
        (layer, array) for layer, array in rungs.learnable(state.weight_map, state.parameters) if array.tie is None
    ]
    names = [layer.array_name(array) for layer, array in learnt if np.iscomplexobj(array.torch.read(state.proof.torch))]
    if optimizers is None or not names:
        return []
    steps = [f for f in rule_on(_own_stream(state, optimizers)) if f.verdict is Verdict.DIFFERENT]
    odd = [name for name in names if any(finding.name.startswith(f"{name} after step") for finding in steps)]
    return [Finding(CONJUGATED, name, Verdict.DIFFERENT, np.inf, reason=CONJUGATES) for name in odd]


def _groups(optimizer: Any) -> int:
    """The number of groups of parameters, each with settings of its own, in PyTorch's optimizer."""
    alone = optimizer[0] if isinstance(optimizer, tuple) else optimizer
    return len(getattr(alone, "param_groups", ()))


def _own_stream(
    state: CheckState, optimizers: tuple[Any, Any], known: Seen | None = None, change: Change | None = None
) -> Seen:
    """The optimizers' steps with the networks' own parameters, so that each has its own settings.

    Tied arrays, and those that one side keeps in parts, are left out.
    """
    sides, rng = state.sides, np.random.default_rng([state.sides.seed, 5])
    pairings = [
        (layer, array)
        for layer, array in rungs.learnable(state.weight_map, state.parameters)
        if array.tie is None and len(array.flax.names) == len(array.torch.names) == 1
    ]
    names = {
        "flax": [name for _, array in pairings for name in array.flax.names],
        "torch": [name for _, array in pairings for name in array.torch.names],
    }
    start, *stream = (
        {name: single(size * _normal(rng, a)) for name, a in state.proof.torch.items()} for size in (1.0, *SIZES)
    )

    def held_by(side: str, arrays: Arrays) -> Arrays:
        held = arrays if side == "torch" else weights.to_flax(state.weight_map, arrays, sides.flax.native)
        return {name: held[name] for name in names[side]}

    def pulled(side: str, gradients: Arrays) -> Arrays:
        return {name: rungs.in_torch(a) if side == "flax" else a for name, a in held_by(side, gradients).items()}

    def named(side: str, arrays: Arrays) -> Arrays:
        return {layer.array_name(array): getattr(array, side).read(arrays) for layer, array in pairings}

    starts = {side: held_by(side, start) for side in names}

    def fed(side: str) -> list[Arrays]:
        return _changed([pulled(side, gradients) for gradients in stream], side, change)

    seen = _steps(sides, optimizers, starts, fed, known)
    fresh = {
        side: {p: [named(side, arrays) for arrays in steps] for p, steps in by.items()} for side, by in seen.items()
    }
    return Seen({**({} if known is None else known.steps), **fresh}, starts)


def _normal(rng: np.random.Generator, like: NDArray) -> NDArray:
    """Normal numbers of an array's shape, complex ones for a complex array."""
    drawn = rng.standard_normal(like.shape)
    return drawn + 1j * rng.standard_normal(like.shape) if np.iscomplexobj(like) else drawn


def _changed(stream: list[Arrays], side: str, change: Change | None) -> list[Arrays]:
    return stream if change is None or side != "torch" else [change(gradients) for gradients in stream]


def _stream(
    state: CheckState, optimizers: tuple[Any, Any], known: Seen | None = None, change: Change | None = None
) -> Seen:
    rng = np.random.default_rng([state.sides.seed, 5])
    start = {name: single(rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}
    stream = [
        {name: single(size * rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()} for size in SIZES
    ]
    for gradients in stream:
        gradients["unused"] = np.zeros(UPDATE_SHAPES["unused"])
    starts = dict.fromkeys(("flax", "torch"), start)
    fresh = _steps(state.sides, optimizers, starts, lambda side: _changed(stream, side, change), known)
    return Seen({**({} if known is None else known.steps), **fresh}, starts)


def _steps(
    pair: SidePair,
    optimizers: tuple[Any, Any],
    start: Mapping[str, Arrays],
    stream: Callable[[str], Sequence[Arrays]],
    known: Seen | None = None,
) -> dict[str, dict[str, list[Arrays]]]:
    """Side → precision → parameters after every step, from a side's start and along its stream of gradients; without
    Flax's, if they are known."""
    sides = {"flax": (pair.flax, optimizers[0]), "torch": (pair.torch, optimizers[1])}
    if known is not None:
        del sides["flax"]
    with pair.watch.running("the optimizers' steps"):
        return {
            name: {p: side.update(optimizer, start[name], stream(name), p) for p in PRECISIONS}
            for name, (side, optimizer) in sides.items()
        }


def trajectory_rung(state: CheckState, optimizers: tuple[Any, Any]) -> Rung:
    """Rung 6: float64 training runs on equal batches, on the users' losses or else towards random targets.

    Args:
        state: What is known of the pair; the losses before each step, (`ladder.STEPS`,) a side, are added to it.
        optimizers: Optax's and PyTorch's, or PyTorch's with its scheduler.

    Raises:
        UserCodeError: A network, a loss or an optimizer raises something.
    """
    sides, proof = state.sides, state.proof
    rng = np.random.default_rng([sides.seed, 6])
    batches = [resized(sides.inputs, lambda a, s=s: (a * (1.0 + 0.25 * s)).astype(a.dtype)) for s in range(STEPS)]  # type: ignore[misc]
    shapes = {name: array.shape for name, array in sides.cotangents("training")[1].items()}
    theirs = [{name: single(rng.standard_normal(shape)) for name, shape in shapes.items()} for _ in batches]
    ours = [sides.results.in_flax(target, "training") for target in theirs]
    moved = weights.moved(state.weight_map, proof.torch, rng)
    losses = sides.objectives or (None, None)
    runs: dict[str, Trajectory] = {}
    from_moved: dict[str, Trajectory] = {}
    for by_side, torch in ((runs, proof.torch), (from_moved, moved)):
        flax = weights.to_flax(state.weight_map, torch, sides.flax.native)
        fed = {side: [sides.pair_inputs.adapted(side, batch) for batch in batches] for side in ("flax", "torch")}
        with sides.watch.running("Flax's training run", backward=True):
            by_side["flax"] = sides.flax.train(flax, fed["flax"], ours, optimizers[0], losses[0])
        with sides.watch.running("PyTorch's training run", backward=True):
            by_side["torch"] = sides.torch.train(torch, fed["torch"], theirs, optimizers[1], losses[1])
    state.losses = {side: [float(x) for x in run.losses] for side, run in runs.items()}
    return rungs.trajectory(state.weight_map, state.parameters, runs, from_moved)
