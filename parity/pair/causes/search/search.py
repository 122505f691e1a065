"""Looks for the cause of a difference: hypotheses in order of their cost, each undone on the numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.pair.causes.search.effort import cost_of, spend
from parity.pair.causes.search.families.calls import called_again
from parity.pair.causes.search.families.functions import (
    factors,
    left_out,
    other_function,
    replaced_function,
    without_array,
)
from parity.pair.causes.search.families.operands import (
    changed_places,
    exchanged,
    operand_from_before,
    other_operand,
    other_result,
    parts_backwards,
    turned_back,
)
from parity.pair.causes.search.families.order_of_two import swapped_order
from parity.pair.causes.search.families.orders import other_order, other_value, run_again
from parity.pair.causes.search.families.randomness import without_draw
from parity.pair.causes.search.families.reductions import other_reduction
from parity.pair.causes.search.families.scalars import (
    other_constant,
    other_constants,
    other_count,
    other_mask,
    other_number,
)
from parity.pair.causes.search.families.selections import before_selection, other_part
from parity.pair.causes.search.families.settings import (
    changed_settings,
    fitted_setting,
    settings_everywhere,
    two_settings,
)
from parity.pair.causes.search.families.updates import more_updates
from parity.pair.causes.search.families.variants import other_comparison, other_extreme, other_variant
from parity.pair.causes.search.families.whole import wrapping
from parity.pair.causes.search.hypothesis import Hypothesis
from parity.pair.causes.search.operation import other_operation
from parity.pair.causes.search.piece import Piece
from parity.pair.causes.search.written import is_of_index

Family = Callable[[Piece, str], Iterator[Hypothesis]]
CHEAP: Sequence[Family] = (
    more_updates, called_again, without_draw, other_variant, changed_settings, replaced_function, other_extreme,
    other_comparison, other_reduction, left_out, other_function, wrapping, swapped_order, turned_back, before_selection,
    other_part,
)  # fmt: skip
DEAR: Sequence[Family] = (
    run_again, parts_backwards, other_mask, other_number, other_count, other_constant, other_constants, other_operand,
    operand_from_before, changed_places, other_value, settings_everywhere,
    factors, other_order, fitted_setting, two_settings, exchanged, without_array,
)  # fmt: skip
SIDES = ("torch", "flax")
STAGES: Sequence[Sequence[tuple[Family, str]]] = [
    [(family, side) for family in CHEAP for side in SIDES],
    [(other_result, side) for side in SIDES],
    *([(family, side)] for family in DEAR for side in SIDES),
    [(other_operation, "torch")],
]
"""Kinds of hypotheses with the side on which they are undone, in the order in which they are tried; of those of one
stage the likeliest is taken."""
Stages = Sequence[Sequence[tuple[Family, str]]]
MOST, FEWEST = 3_000, 50
"""Hypotheses of one kind that are tried on one side: in small pieces, and in large ones."""
WORK = 10**9
"""Numbers that the hypotheses of one kind may compute on one side."""


@dataclass(frozen=True)
class Cause:
    """A cause that was proven by undoing it.

    Args:
        hypothesis: what it is.
        before, after: how far the sides are apart with it and without it, relative to their size.
        without: how far they are apart where all causes of the same piece but this one are undone; None if it is the
            only one of its piece.
        piece: the operations that it was found in; None where it was not asked for.
    """

    hypothesis: Hypothesis
    before: float
    after: float
    without: float | None = None
    piece: Piece | None = None


Watch = Callable[[Hypothesis, Mapping[int, NDArray]], None]
"""Told of every hypothesis that does not close the gap, and of the values that are other ones without it."""


def search(
    piece: Piece, confirm: Callable[[], Sequence[Piece]], watch: Watch | None = None, stages: Stages = STAGES
) -> Cause | None:
    """The first cause whose undoing closes the gap, also with other numbers.

    Args:
        piece: the operations in which the difference begins.
        confirm: makes the same piece of other numbers, which the cause has to explain too; none where a difference has
            no other numbers.
        watch: told of what does not close the gap.
        stages: the kinds of hypotheses.
    """
    others: list[Piece] = []
    costs = {side: cost_of(piece.half(side)) for side in SIDES}
    for stage in stages:
        best: Cause | None = None
        for hypothesis in chain.from_iterable(
            islice(family(piece, side), _most(piece, side)) for family, side in stage
        ):
            if best is not None and best.hypothesis.likely <= hypothesis.likely:
                continue
            if hypothesis.operation is not None and is_of_index(piece.half(hypothesis.side), hypothesis.operation):
                continue
            if not spend(costs[hypothesis.side]):
                return best
            after = _gap(hypothesis, piece, watch)
            if not closes(piece.gap, after) or hypothesis.goes_round(piece) or not hypothesis.parts_nothing(piece):
                continue
            others = others or list(confirm())
            if all(closes(other.gap, hypothesis.gap(other)) for other in others):
                best = Cause(hypothesis, piece.gap, after, piece=piece)
                if not hypothesis.likely:
                    return best
        if best is not None:
            return best
    return None


def _gap(hypothesis: Hypothesis, piece: Piece, watch: Watch | None) -> float:
    if watch is None:
        return hypothesis.gap(piece)
    after, made = hypothesis.attempt(piece)
    if not closes(piece.gap, after):
        watch(hypothesis, made)
    return after


def _most(piece: Piece, side: str) -> int:
    """The hypotheses that are tried, by the size of the side's piece."""
    return max(FEWEST, min(MOST, WORK // max(piece.half(side).size, 1)))
