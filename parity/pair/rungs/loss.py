"""The users' own losses: both values are judged, and a reduction that differs is named and undone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Rung
from parity.errors import UsageError
from parity.interface.sides.trained import Objective
from parity.interface.tree import leaves
from parity.pair.arrays.inputs import as_numpy
from parity.pair.arrays.layout import compare
from parity.pair.passes.both_sides import BothSides, run_torch
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import Compared, compare_layers
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.input_gradients import SharedInputs
from parity.report.records import Convention, Lint

REDUCTION = "loss_reduction"


def objectives(loss: Any, targets: Any) -> tuple[Objective, Objective] | None:
    """Flax's loss and PyTorch's with the targets; None if no loss was given.

    Raises:
        UsageError: it is no pair of functions, or there are targets without a loss.
    """
    if loss is None:
        if targets is not None:
            raise UsageError("got targets without a loss; give loss=(flax_loss, torch_loss) too")
        return None
    if not isinstance(loss, list | tuple) or len(loss) != 2 or not all(map(callable, loss)):
        raise UsageError(
            f"loss got {type(loss).__name__}; expected (flax_loss, torch_loss), two functions of outputs and targets"
        )
    arrays = as_numpy(targets)
    return Objective(loss[0], arrays), Objective(loss[1], arrays)


def gradients_rung(state: CheckState, shared: SharedInputs, accept: Sequence[str]) -> tuple[Rung, list[Convention]]:
    """Rung 3, and the reduction of the losses where it explains what differs: then what is judged afterwards is
    PyTorch's loss by the factor, if that makes the rung pass.

    Args:
        state: what is known; the reduction is added to its lints.
        shared: the numbers of the user's inputs that the gradients of each side's inputs belong to.
        accept: conventions that are no difference.
    """
    shown = judged(state, state.passes, state.compared, shared)
    factor = None if state.sides.results.of("evaluation").noisy else _factor(state)
    if factor is None:
        return shown, []
    lint, times = factor
    state.lints = [*state.lints, lint]
    sides = _scaled(state.sides, times)
    passes = _again(state, sides)
    results = sides.results
    compared = {mode: compare_layers(state.calls[mode], seen, results.of(mode), mode) for mode, seen in passes.items()}
    confirmed = judged(state, passes, compared, shared).verdict.passes
    if confirmed:
        state.sides = sides
    return shown, [Convention(REDUCTION, lint.text, (3,), confirmed, REDUCTION in accept)]


def judged(
    state: CheckState, passes: Mapping[str, BothSides], compared: Mapping[str, Compared], shared: SharedInputs
) -> Rung:
    """Rung 3 of what was seen in each mode; a mode in which the networks are random is left out.

    Args:
        state: What is known of the pair.
        passes: Mode → the passes of both sides, with gradients.
        compared: Mode → what was compared of them.
        shared: The numbers of the user's inputs that the gradients of each side's inputs belong to.
    """
    passes = {mode: seen for mode, seen in passes.items() if not state.sides.results.of(mode).noisy}
    layers = [compared[mode] for mode in passes]
    return rungs.gradients(state.weight_map, layers, passes, state.parameters, shared, list(_losses(passes)))


def _losses(passes: Mapping[str, BothSides]) -> Iterator[Finding]:
    """The value of the loss in each mode."""
    for mode, seen in passes.items():
        if (values := _values(seen)) is not None:
            yield compare("loss", "", *values, mode=mode)


def _values(both: BothSides) -> tuple[NDArray, NDArray, NDArray, NDArray] | None:
    """The losses, if there are any: Flax's and PyTorch's in float64, PyTorch's and Flax's in float32."""
    (a, low_a), (b, low_b) = ([by[p].loss for p in PRECISIONS] for by in (both.flax, both.torch))
    if a is None or b is None or low_a is None or low_b is None:
        return None
    return a, b, low_b, low_a


def _scaled(sides: SidePair, times: float) -> SidePair:
    assert sides.objectives is not None
    flax, torch = sides.objectives
    return replace(sides, objectives=(flax, replace(torch, scale=times)))


def _again(state: CheckState, sides: SidePair) -> dict[str, BothSides]:
    """What was seen, with PyTorch's passes anew."""
    return {
        mode: BothSides(seen.flax, run_torch(sides, state.proof.torch, mode, state.masks(mode)))
        for mode, seen in state.passes.items()
    }


def _factor(state: CheckState) -> tuple[Lint, float] | None:
    """What to multiply PyTorch's loss with to have Flax's, if that is by how many numbers one of them sums over where
    the other averages."""
    values = _values(state.passes["evaluation"])
    if values is None or _agree(*values, 1.0):
        return None
    flax, torch = float(values[0]), float(values[1])
    for count, what in _counts(state).items():
        for times in (float(count), 1.0 / count):
            if count > 1 and _agree(*values, times):
                return _lint(flax, torch, count, what, times > 1), times
    return None


def _agree(a: NDArray, b: NDArray, low_b: NDArray, low_a: NDArray, times: float) -> bool:
    """Whether Flax's loss is that many times PyTorch's."""
    scaled = np.asarray(times * b), np.asarray(times * low_b.astype(np.float64))
    return bool(a) and compare("loss", "", a, scaled[0], scaled[1], low_a).verdict.passes


def _counts(state: CheckState) -> dict[int, str]:
    """The counts that a loss may be divided by, each with what it counts; the likelier meaning if two are equal."""
    assert state.sides.objectives is not None
    targets = [leaf for _, leaf in leaves(state.sides.objectives[1].targets) if isinstance(leaf, np.ndarray)]
    shapes = [("outputs", shape) for shape in state.sides.results.shapes[1].values()] + [
        ("targets", a.shape) for a in targets
    ]
    tokens = {a.size: f"all {a.size} labels" for a in targets if a.ndim > 1 and a.dtype.kind in "iu"}
    batches = {shape[0]: f"the batch of {shape[0]}" for _, shape in reversed(shapes) if shape}
    elements = {prod(shape): f"all {prod(shape)} elements of the {whose}" for whose, shape in reversed(shapes)}
    features = {prod(shape[1:]): f"the {prod(shape[1:])} elements of each sample" for _, shape in shapes if shape}
    return {**features, **elements, **tokens, **batches}


def _lint(flax: float, torch: float, count: int, what: str, flax_sums: bool) -> Lint:
    sums, averages = ("Flax", "PyTorch") if flax_sums else ("PyTorch", "Flax")
    text = (
        f"reduction: {sums} sums over {what}, {averages} averages: {count} times larger "
        f"(the loss is {flax:.6g} in Flax, {torch:.6g} in PyTorch)"
    )
    return Lint("", "", "reduction", f"{flax:.17g}", f"{torch:.17g}", text, convention=REDUCTION)
