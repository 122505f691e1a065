"""Says where one side does the same in evaluation and in training and the other does not: its mode was not switched."""

import numpy as np

from parity.checks.verdict import Rung, Verdict
from parity.interface.side import FRAMEWORKS
from parity.interface.trace import Arrays
from parity.pair.passes.check_state import CheckState

NAME_IT = "name it: checks=Checks(training_flag=…)"
GRADIENTS = 3
"""The number of the last rung whose findings say their mode; what comes after it is of training."""


def mode_not_switched(state: CheckState) -> str:
    """What is said of the side that does the same in both modes while the other does not; "" if there is none.

    Args:
        state: What both modes showed.
    """
    same = _unmoved(state)
    if not same:
        return ""
    other = "torch" if same == "flax" else "flax"
    words = f"{FRAMEWORKS[same]}'s network does the same in evaluation and in training, {FRAMEWORKS[other]}'s does not"
    names = ", ".join(state.sides.side(same).flags)
    return words + (f"; if one of its arguments ({names}) switches it, {NAME_IT}" if names else "")


def mode_to_ask_for(state: CheckState) -> bool:
    """Whether the side that does the same in both modes has a flag that was not recognised and may be its mode's."""
    same = _unmoved(state)
    return bool(same and state.sides.side(same).flags)


def only_training(rung: Rung) -> bool:
    """Whether all that differs on a rung differs in training, or after it; False if nothing differs."""
    odd = [finding for finding in rung.findings if finding.verdict is Verdict.DIFFERENT]
    return bool(odd) and all(f.mode == "training" or rung.number > GRADIENTS for f in odd)


def _unmoved(state: CheckState) -> str:
    """The one side that does the same in both modes, "" if both do or none does."""
    if not {"evaluation", "training"} <= state.passes.keys():
        return ""
    alike = [side for side in FRAMEWORKS if _alike(state, side)]
    return alike[0] if len(alike) == 1 else ""


def _alike(state: CheckState, side: str) -> bool:
    evaluation, training = (getattr(state.passes[mode], side)["float64"] for mode in ("evaluation", "training"))
    if not _equal(evaluation.outputs, training.outputs):
        return False
    states = training.buffers.keys() - state.sides.side(side).parameters
    return _equal(state.proof.arrays(side), {name: training.buffers[name] for name in states})


def _equal(first: Arrays, second: Arrays) -> bool:
    shared = first.keys() & second.keys()
    return all(np.array_equal(first[name], second[name], equal_nan=True) for name in shared)
