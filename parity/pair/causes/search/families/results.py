"""Hypotheses on what the network returns: another value than on the other side, which both have inside."""

from collections.abc import Iterator

from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Returned
from parity.pair.causes.search.families.orders import names_of_calls, value_words
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece


def other_result(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """The network returns another of its values, which goes on inside as it should."""
    half, theirs = piece.half(side), piece.half(other(side))
    if half.target not in half.program.named.results.values():
        return
    words = {each: value_words(of, of.target, names_of_calls(of)) for each, of in ((side, half), (other(side), theirs))}
    for instead in _alike(piece, side):
        wanted = value_words(half, instead, names_of_calls(half))
        text = f"the returned array is {words[side]} in {NAMES[side]}, and {words[other(side)]} in {NAMES[other(side)]}"
        mend = f"return {wanted} in {NAMES[side]}"
        maker = half.program.maker.get(half.target)
        yield Hypothesis(side, text, mend, always(Returned(half.target, instead)), maker, half.target, exact=True)


def _alike(piece: Piece, side: str) -> Iterator[int]:
    """The values of the whole pass that are what the other side returns, those first that are made near the target."""
    half = piece.half(side)
    size, at = half.values[half.target].size, half.program.maker.get(half.target, 0)
    values = [value for each in half.program.operations for value in each.results if value != half.target]
    for value in sorted(values, key=lambda v: abs(half.program.maker[v] - at)):
        array = _sized(half, value, size)
        if array is not None and piece.gap_to(side, array) <= AGREED:
            yield value


def _sized(half: Half, value: int, size: int) -> NDArray | None:
    """A value of the pass if it has so many numbers."""
    array = half.values[value] if value in half.values else half.value(value, ())
    return array if array is not None and array.size == size else None
