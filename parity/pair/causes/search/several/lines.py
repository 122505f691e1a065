"""The user's lines that a proven cause is about."""

from numpy.typing import NDArray

from parity.pair.causes.search.hypothesis import Hypothesis, other
from parity.pair.causes.search.piece import SIDES, Half, Piece, same_numbers
from parity.pair.causes.search.several.narrow import alike


def lines_of(hypothesis: Hypothesis, piece: Piece) -> dict[str, str]:
    """The user's lines of what differs: that of the operation that is undone, and that of the other side's operation
    that gives the same numbers once it is."""
    half, theirs = piece.half(hypothesis.side), piece.half(other(hypothesis.side))
    number = _number(hypothesis, half, theirs)
    if number is None:
        return {}
    each = half.program.operations[number]
    lines = {hypothesis.side: each.place}
    value = hypothesis.value if hypothesis.value is not None else each.results[0]
    array = half.value(value, hypothesis.edits(piece))
    if array is not None and array.size > 1:
        lines[other(hypothesis.side)] = _twin(array, theirs)
    return {side: lines[side] for side in SIDES if lines.get(side)}


def _number(hypothesis: Hypothesis, half: Half, theirs: Half) -> int | None:
    """The operation that a hypothesis is about: what makes the value that it changes or, where both sides have that
    value alike, what takes it."""
    value = hypothesis.value
    if value is None or value not in half.values or (hypothesis.exact and hypothesis.operation is not None):
        return hypothesis.operation
    array = half.values[value]
    agrees = any(
        a.size == array.size > 1 and a.dtype == array.dtype and alike(array, a) for a in theirs.values.values()
    )
    if hypothesis.operation is not None and not agrees:
        return hypothesis.operation
    return next((number for number, each in half.operations if value in each.operands), hypothesis.operation)


def _twin(array: NDArray, theirs: Half) -> str:
    """The line of the other side's operation that gives these numbers: in the same layout if there is one, else in
    any order; "" if none does."""
    sized = [value for value in theirs.made if theirs.values[value].size == array.size]
    laid_out = (v for v in sized if theirs.values[v].dtype == array.dtype and alike(array, theirs.values[v]))
    ordered = (v for v in reversed(sized) if same_numbers(array, theirs.values[v]))
    value = next(laid_out, None)
    value = next(ordered, None) if value is None else value
    return "" if value is None else theirs.program.operations[theirs.program.maker[value]].place
