"""Arrays that neither side learns or changes, and of which the sides hold other numbers."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import repeats
from parity.checks.verdict import Finding, Verdict
from parity.interface.side import FRAMEWORKS
from parity.pair.causes.explained import CONSTANT
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.trained import name_of


def unequal_constants(state: CheckState) -> tuple[list[Finding], list[str]]:
    """Findings and notes on the arrays that neither side learns or changes in training, and that hold other numbers.

    The check compares them with the same numbers, as it does weights. A user who carries over what checkpoints hold is
    left with two networks all the same where one side's array is in none: a buffer that is not persistent, a plain
    array of an NNX module. That is a difference. What both sides' checkpoints hold is noted.

    Args:
        state: What both modes showed.
    """
    found, notes = [], []
    for name, flax, torch, saved in _unequal(state):
        place = np.unravel_index(int(np.abs(flax - torch).argmax()), flax.shape)
        words = (
            f"{name} is neither learnt nor changed in training, and the sides hold other numbers, {flax[place]:.6g} in "
            f"Flax and {torch[place]:.6g} in PyTorch for one"
        )
        if saved:
            notes.append(f"{words}; both were given the same, as a conversion does")
            continue
        values = {"flax": float(flax[place]), "torch": float(torch[place])}
        index = tuple(int(i) for i in place)
        found.append(Finding(CONSTANT, name, Verdict.DIFFERENT, np.inf, index=index, values=values, reason=words))
    return found, notes


def _unequal(state: CheckState) -> Iterator[tuple[str, NDArray, NDArray, bool]]:
    """Name of each such array, what Flax and PyTorch hold of it, and whether checkpoints of both have it."""
    for layer, array in state.weight_map.arrays:
        names = {side: getattr(array, side).names for side in FRAMEWORKS}
        if array.tie is not None or not all(_is_constant(state, side, names[side]) for side in FRAMEWORKS):
            continue
        flax, torch = (
            getattr(array, side).read(state.sides.side(side).native).astype(np.float32) for side in FRAMEWORKS
        )
        if not repeats(flax, torch):
            saved = not any(state.sides.side(side).unsaved.intersection(names[side]) for side in FRAMEWORKS)
            yield name_of(layer, array), flax, torch, saved


def _is_constant(state: CheckState, side: str, names: Sequence[str]) -> bool:
    """Whether the arrays of a side are floating ones and no parameters, and a pass in training leaves them."""
    given, after = state.proof.arrays(side), getattr(state.passes["training"], side)["float64"].buffers
    return not state.sides.side(side).declared.intersection(names) and all(
        given[name].dtype.kind == "f" and np.array_equal(given[name], after.get(name, given[name])) for name in names
    )
