"""Arrays that neither side learns or changes, and of which the sides hold other numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import repeats
from parity.checks.verdict import Finding, Verdict
from parity.interface.side import FRAMEWORKS
from parity.pair.causes.explained import CONSTANT
from parity.pair.passes.check_state import CheckState
from parity.pair.weightmap.random_weights import name_of


@dataclass(frozen=True)
class Unequal:
    """A constant of which the sides hold other numbers.

    Args:
        name: Its canonical name.
        flax, torch: What the sides hold.
        is_saved: Whether checkpoints of both sides have it.
    """

    name: str
    flax: NDArray
    torch: NDArray
    is_saved: bool

    @property
    def index(self) -> tuple[int, ...]:
        """The place where the sides are furthest apart, one index for each axis; the first if there are several."""
        return tuple(int(i) for i in np.unravel_index(int(np.abs(self.flax - self.torch).argmax()), self.flax.shape))

    @property
    def words(self) -> str:
        """What is said of it."""
        return (
            f"{self.name} is neither learnt nor changed in training, and the sides hold other numbers, "
            f"{self.flax[self.index]:.6g} in Flax and {self.torch[self.index]:.6g} in PyTorch for one"
        )


def unsaved_constants(state: CheckState) -> list[Finding]:
    """A finding on each constant of which the sides hold other numbers, and that a side's checkpoints do not hold.

    The check compares them with the same numbers, as it does weights. A user who carries over what checkpoints hold is
    left with two networks all the same where one side's array is in none: a buffer that is not persistent, a plain
    array of an NNX module.

    Args:
        state: What the modes showed; without a pass in training nothing is known to be a constant.
    """
    return [
        Finding(
            CONSTANT,
            constant.name,
            Verdict.DIFFERENT,
            np.inf,
            index=constant.index,
            values={"flax": float(constant.flax[constant.index]), "torch": float(constant.torch[constant.index])},
            reason=constant.words,
        )
        for constant in _unequal(state)
        if not constant.is_saved
    ]


def saved_constants(state: CheckState) -> list[str]:
    """A note on each constant of which the sides hold other numbers, and that the checkpoints of both hold.

    Such a constant is no finding: a user who converts a checkpoint carries it over.

    Args:
        state: What the modes showed; without a pass in training nothing is known to be a constant.
    """
    return [
        f"{constant.words}; both were given the same, as a conversion does"
        for constant in _unequal(state)
        if constant.is_saved
    ]


def _unequal(state: CheckState) -> Iterator[Unequal]:
    for layer, array in state.weight_map.arrays if "training" in state.passes else ():
        names = {side: getattr(array, side).names for side in FRAMEWORKS}
        if array.tie is not None or not all(_is_constant(state, side, names[side]) for side in FRAMEWORKS):
            continue
        flax, torch = (
            getattr(array, side).read(state.sides.side(side).native).astype(np.float32) for side in FRAMEWORKS
        )
        if not repeats(flax, torch):
            saved = not any(state.sides.side(side).unsaved.intersection(names[side]) for side in FRAMEWORKS)
            yield Unequal(name_of(layer, array), flax, torch, saved)


def _is_constant(state: CheckState, side: str, names: Sequence[str]) -> bool:
    """Whether the arrays of a side are floating ones and no parameters, and a pass in training leaves them."""
    before, after = state.proof.arrays(side), getattr(state.passes["training"], side)["float64"].buffers
    return not state.sides.side(side).declared.intersection(names) and all(
        before[name].dtype.kind == "f" and np.array_equal(before[name], after.get(name, before[name])) for name in names
    )
