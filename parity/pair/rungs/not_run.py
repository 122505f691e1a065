"""Why a rung is not climbed: what it rules on is not there."""

from collections.abc import Sequence

from parity.checks.verdict import Rung, Verdict
from parity.pair.causes.explained import TRAINED
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.rules import buffers
from parity.pair.weightmap.ties import tied


def random_modes(state: CheckState) -> str:
    """Say in which modes the networks are random, with dropout turned off; "" if they are in neither."""
    modes = [mode for mode in state.passes if state.sides.results.of(mode).noisy]
    return f"the networks are random in {' and '.join(modes)}" if modes else ""


def without_gradients(state: CheckState) -> str:
    """Why there are no gradients to compare; "" if there are some.

    Both modes are random; or nothing floating is returned and no loss was given; or nothing is trained and no input is
    floating.

    Args:
        state: What both modes showed, with gradients.
    """
    sides = state.sides
    if all(sides.results.of(mode).noisy for mode in state.passes):
        return random_modes(state)
    if sides.objectives is None and not any(sides.results.of(mode).floating[0] for mode in state.passes):
        return "the networks return no floating numbers that are compared, and no loss was given"
    inputs = [seen["float64"].input_gradients for view in state.passes.values() for seen in (view.flax, view.torch)]
    if not sides.flax.parameters | sides.torch.parameters and not all(inputs):
        return "nothing is trained, and no input is floating"
    return ""


def without_buffers(state: CheckState) -> str:
    """Why there is no state to compare, "" if there is: an array of the map that no side learns."""
    known = any(buffers(state.weight_map, state.parameters))
    return "" if known else "the map has no running statistics or other buffers"


def with_ties(state: CheckState) -> str:
    """Why training runs differ by definition, "" if they do not: one side ties arrays that the other trains apart."""
    if tied(state.weight_map):
        return "a tied array trains otherwise than the two that the other side has, by definition"
    return ""


def without_training_run(state: CheckState, rungs: Sequence[Rung]) -> str:
    """Why training runs cannot be compared; "" if they can.

    Args:
        state: What both modes showed.
        rungs: The rungs that were ruled so far; arrays that only one side trains are found on rung 1.
    """
    if state.sides.results.of("training").noisy:
        return random_modes(state)
    if state.sides.objectives is None and not state.sides.results.of("training").floating[0]:
        return "the networks return no floating numbers that are compared, and no loss was given"
    findings = [finding for rung in rungs for finding in rung.findings if finding.quantity == TRAINED]
    if any(finding.verdict is Verdict.DIFFERENT for finding in findings):
        return "the networks do not train the same arrays, as rung 1 says"
    return ""
