"""Says where one side does the same in evaluation and in training and the other does not: its mode was not switched."""

import numpy as np

from parity.checks.verdict import Rung, Verdict
from parity.interface.observation import PassResult
from parity.interface.side import FRAMEWORKS, Side
from parity.interface.trace import Arrays
from parity.pair.passes.check_state import CheckState

GRADIENTS = 3
"""The number of the last rung whose findings say their mode; what comes after it is of training."""


def mode_not_switched(state: CheckState) -> str:
    """What is said of the side that does the same in both modes while the other does not; "" if there is none.

    Args:
        state: What both modes showed.
    """
    if not {"evaluation", "training"} <= state.passes.keys():
        return ""
    alike = {side: _alike(state, side) for side in FRAMEWORKS}
    if alike["flax"] == alike["torch"]:
        return ""
    same, other = ("flax", "torch") if alike["flax"] else ("torch", "flax")
    words = f"{FRAMEWORKS[same]}'s network does the same in evaluation and in training, {FRAMEWORKS[other]}'s does not"
    flags = flags_to_ask_for(state)
    return f"{words}; {flags}" if flags else words


def flags_to_ask_for(state: CheckState) -> str:
    """What the user is asked where Flax's network may have a flag for its mode that was not recognised, else ""."""
    if not state.sides.flax.flags or not _alike(state, "flax") or _alike(state, "torch"):
        return ""
    names = ", ".join(state.sides.flax.flags)
    return f"if one of its arguments ({names}) switches it, name it: checks=Checks(training_flag=…)"


def only_training(rung: Rung) -> bool:
    """Whether all that differs on a rung differs in training, or after it."""
    odd = [finding for finding in rung.findings if finding.verdict is Verdict.DIFFERENT]
    return bool(odd) and all(f.mode == "training" or rung.number > GRADIENTS for f in odd)


def _alike(state: CheckState, side: str) -> bool:
    evaluation, training = (getattr(state.passes[mode], side)["float64"] for mode in ("evaluation", "training"))
    own = state.proof.flax if side == "flax" else state.proof.torch
    return _equal(evaluation.outputs, training.outputs) and not _changed(_side(state, side), training, own)


def _changed(side: Side, training: PassResult, before: Arrays) -> bool:
    """Whether a training pass leaves other numbers in the arrays that are no parameters."""
    states = {name: array for name, array in training.buffers.items() if name not in side.parameters}
    return not _equal({name: before[name] for name in states if name in before}, states)


def _equal(first: Arrays, second: Arrays) -> bool:
    shared = first.keys() & second.keys()
    return all(np.array_equal(first[name], second[name], equal_nan=True) for name in shared)


def _side(state: CheckState, side: str) -> Side:
    return state.sides.flax if side == "flax" else state.sides.torch
