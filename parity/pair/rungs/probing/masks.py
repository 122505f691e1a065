"""Gradients of masks of 0 and 1: they are part of a network only where it is a function of what lies between."""

from dataclasses import replace

from numpy.typing import NDArray

from parity.checks.verdict import Verdict
from parity.pair.arrays.domain import is_of_zeros_and_ones
from parity.pair.arrays.inputs import changed
from parity.pair.arrays.origins import floating_leaves
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.input_gradients import SharedInputs, input_gradients
from parity.pair.rungs.probing.inputs import Probe
from parity.pair.rungs.probing.probes import try_probe

BETWEEN = "what is 0 or 1 put between them"


def without_masks(state: CheckState, shared: SharedInputs) -> SharedInputs:
    """The inputs without those of 0 and 1 whose gradients differ since they are not defined.

    Two networks may agree wherever a mask is 0 or 1 (one multiplies with it, the other fills by it) and differ between:
    what they are for such a mask has no derivative. Where they agree between 0 and 1 too, it has one, and it is judged.

    Args:
        state: What is known of the pair.
        shared: What both sides are given.

    Returns:
        The same, with a note on each mask that is left out.
    """
    masks = {name: leaf for name, leaf in floating_leaves(state.sides.inputs).items() if is_of_zeros_and_ones(leaf)}
    if not masks:
        return shared
    gradients = [g for mode, both in state.passes.items() for g in input_gradients(both, shared, mode)]
    differing = {gradient.name for gradient in gradients if gradient.verdict is Verdict.DIFFERENT}
    undefined = [name for name in masks if name in differing and not _agree_between(state, masks[name])]
    notes = [
        f"the gradient of the input {name} is not compared: it holds 0 and 1 alone, and between them the networks are "
        "other functions"
        for name in undefined
    ]
    judged = {name: span for name, span in shared.judged.items() if name not in undefined}
    return replace(shared, judged=judged, notes=(*shared.notes, *notes))


def _agree_between(state: CheckState, mask: NDArray) -> bool:
    """Whether the networks return the same where that input is 0.25 and 0.75 in the place of 0 and 1."""
    inputs = changed(state.sides.inputs, lambda array: array * 0.5 + 0.25 if array is mask else array)
    findings = try_probe(Probe(BETWEEN, inputs, state.proof.torch), state.weight_map, state.sides)
    return isinstance(findings, list) and all(finding.verdict.passes for finding in findings)
