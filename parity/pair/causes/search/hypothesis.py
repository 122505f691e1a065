"""A suspected cause, with what undoes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.circles import goes_round
from parity.interface.programs.operations import Edit
from parity.pair.causes.search.piece import Piece


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """What may be the cause.

    Args:
        side: the side on which it is undone.
        text: the cause in words, without its place.
        mend: what to write instead.
        edits: what undoes it, made for a piece: the same piece of other numbers may be given.
        operation: the number of the operation of that side that it is about; None where it is none.
        value: the value that it makes right; None where that is the target.
        likely: the rank of it among its like: the smaller, the likelier.
        rewires: whether it says only that one side takes another value than the other, or runs a step that the other
            does not run. Several of these may bring any two networks together.
        exact: whether the operation itself is what is otherwise, even if the other side has what it gives.
    """

    side: str
    text: str
    mend: str
    edits: Callable[[Piece], Sequence[Edit]]
    operation: int | None = None
    value: int | None = None
    likely: int = 0
    rewires: bool = False
    exact: bool = False

    def undone(self, piece: Piece) -> NDArray | None:
        """Compute that side's target without it."""
        return piece.half(self.side).with_edits(self.edits(piece))

    def gap(self, piece: Piece) -> float:
        """How far the sides are apart without it."""
        return self._gap_to(piece, self.undone(piece))

    def _gap_to(self, piece: Piece, target: NDArray | None) -> float:
        """How far the sides are apart with this target; infinitely where it is no number where it was one: two
        networks that are both wrong are not mended."""
        if target is not None and (odd := np.isnan(target).sum()):
            half = piece.half(self.side)
            if odd > np.isnan(half.values[half.target]).sum():
                return np.inf
        return piece.gap_to(self.side, target)

    def goes_round(self, piece: Piece) -> bool:
        """Whether what undoes it cannot be done in the whole network: a value would have to take itself there."""
        return goes_round(piece.half(self.side).program, self.edits(piece))

    def parts_nothing(self, piece: Piece) -> bool:
        """Whether what agrees beside the piece's target still does without it."""
        return piece.half(self.side).parts_nothing(self.edits(piece))

    def attempt(self, piece: Piece) -> tuple[float, dict[int, NDArray]]:
        """How far the sides are apart without it, and all values of that side that are other ones then, by number."""
        target, made = piece.half(self.side).attempt(self.edits(piece))
        return self._gap_to(piece, target), made


def always(*edits: Edit) -> Callable[[Piece], Sequence[Edit]]:
    """Edits that are the same whatever the numbers."""
    return lambda piece: edits


NAMES = {"flax": "Flax", "torch": "PyTorch"}


def other(side: str) -> str:
    """The other side."""
    return "torch" if side == "flax" else "flax"
