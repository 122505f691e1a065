"""Hypotheses without which more of a piece agrees, though its target does not yet: another cause may follow."""

from collections.abc import Mapping

from numpy.typing import NDArray

from parity.pair.causes.search.hypothesis import Hypothesis, other
from parity.pair.causes.search.lookup import Lookup, counts
from parity.pair.causes.search.piece import SIDES, Piece


class Promising:
    """Notes the hypotheses that make values of one side the other side's.

    Args:
        piece: the operations in which the difference begins.
    """

    def __init__(self, piece: Piece) -> None:
        self._missing = {side: Lookup(_missing(piece, side)) for side in SIDES}
        self._noted: list[tuple[int, int, Hypothesis]] = []

    def __call__(self, hypothesis: Hypothesis, made: Mapping[int, NDArray]) -> None:
        """Note a hypothesis, if the values that are other ones without it are some that its side lacked."""
        missing = self._missing[hypothesis.side]
        gained = {number for array in made.values() if counts(array) for number in missing.find(array)}
        if gained:
            self._noted.append((-len(gained), hypothesis.likely, hypothesis))

    def best(self, most: int) -> list[Hypothesis]:
        """Those with which most is gained, but one for each operation and gain."""
        chosen: dict[tuple[str, int | None, int], Hypothesis] = {}
        for gain, _, hypothesis in sorted(self._noted, key=lambda noted: noted[:2]):
            chosen.setdefault((hypothesis.side, hypothesis.operation, gain), hypothesis)
        return list(chosen.values())[:most]


def _missing(piece: Piece, side: str) -> dict[int, NDArray]:
    """The values that the other side makes and this one does not."""
    theirs = piece.half(other(side))
    return Lookup(piece.half(side).values).lacks((number, theirs.values[number]) for number in theirs.made)
