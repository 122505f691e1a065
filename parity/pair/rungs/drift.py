"""A second opinion on gradients that differ where no output does: the sides' own drift from moved starts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checks.drift import STARTS, as_float32, settled
from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, observed
from parity.interface.observation import PassResult
from parity.interface.trace import Precision
from parity.pair.passes.both_sides import BothSides, recalled, run_both
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import VALUES, compare_layers
from parity.pair.rungs.input_gradients import SharedInputs
from parity.pair.rungs.loss import judged
from parity.pair.weightmap import random_weights as weights
from parity.report.records import Layer


def settled_gradients(state: CheckState, shared: SharedInputs, ruled: Rung) -> Rung:
    """Rung 3, in which differences no larger than the drift explains are inconclusive.

    The gradients of the layers in `state` are settled in the same way.

    Args:
        state: what is known of the pair so far.
        shared: the numbers of the user's inputs that the gradients of each side's inputs belong to.
        ruled: the rung, judged by the error of float32.
    """
    values = [f for comparison in state.compared.values() for f in comparison.results if f.quantity == VALUES]
    if ruled.verdict is not Verdict.DIFFERENT or any(f.verdict is Verdict.DIFFERENT for f in values):
        return ruled
    passes = {mode: _with_drift(state, mode) for mode in state.passes}
    results = state.sides.results
    compared = {mode: compare_layers(state.calls[mode], seen, results.of(mode), mode) for mode, seen in passes.items()}
    drifts = judged(state, passes, compared, shared).findings
    for mode, comparison in state.compared.items():
        state.compared[mode] = replace(comparison, layers=tuple(_settled(layer, drifts) for layer in comparison.layers))
    return observed(3, NAMES[3], settled(ruled.findings, drifts))


def _settled(layer: Layer, drifts: tuple[Finding, ...]) -> Layer:
    return layer if layer.gradient is None else replace(layer, gradient=settled([layer.gradient], drifts)[0])


def _with_drift(state: CheckState, mode: str) -> BothSides:
    """What was seen in float64, and its drift in the place of float32. Weights and cotangents are moved; the inputs
    stay, so that equal numbers in a window of a max-pool stay equal."""
    starts = []
    for number in range(STARTS):
        rng = np.random.default_rng([state.sides.seed, 7, number])
        torch = weights.moved(state.weight_map, state.proof.torch, rng)
        sides = state.sides.with_moved_cotangents(rng, mode)
        starts.append(run_both(sides, state.weight_map, torch, mode, state.masks(mode), ("float64",)))
    flax, torch_ = (
        _drifted(
            recalled(getattr(state.passes[mode], side)["float64"]), [getattr(view, side)["float64"] for view in starts]
        )
        for side in ("flax", "torch")
    )
    return BothSides(flax, torch_)


def _drifted(high: PassResult, moved: Sequence[PassResult]) -> Mapping[Precision, PassResult]:
    return {"float64": high, "float32": as_float32(high, moved)}
