"""Peels the causes of one piece off: what no single one explains may be several, one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from parity.checks.referee import closes, is_apart
from parity.interface.programs.operations import Edit
from parity.pair.causes.search.hypothesis import Hypothesis
from parity.pair.causes.search.piece import SIDES, Piece
from parity.pair.causes.search.search import STAGES, Cause, Stages, search
from parity.pair.causes.search.several.narrow import narrowed
from parity.pair.causes.search.several.promising import Promising

DEPTH = 3
"""Causes of one piece at most."""
TRIED = 3
"""Hypotheses that are taken for the first of several causes."""
SEARCHES = 8
"""Searches in one piece in all."""
LARGEST = 2**21
"""Numbers of a piece: in larger ones a single cause is looked for."""
Confirm = Callable[[], Sequence[Piece]]


@dataclass
class _Budget:
    """How many searches are left."""

    left: int = SEARCHES


def peel(piece: Piece, confirm: Confirm, stages: Stages = STAGES) -> list[Cause]:
    """The causes that close the gap together, in order; most often there is one. None if none are found.

    Each of several is needed: without undoing it, undoing the others does not close the gap. All are undone on one
    side, so that its network becomes the other's as its user wrote it. Edits on both could close any gap by making both
    sides deaf to what differs, by masking everything out on either for example.

    Args:
        piece: the operations in which the difference begins.
        confirm: makes the same piece of other numbers, which the causes have to explain too.
        stages: the kinds of hypotheses.
    """
    if not is_apart(piece.gap):
        return []  # what differs is not in the numbers of this piece
    size = sum(piece.half(side).size for side in SIDES)
    causes = _peeled(piece, confirm, DEPTH if size <= LARGEST else 1, stages, _Budget())
    if len(causes) < 2:
        return causes
    kept = [(cause, edits_of(cause)) for cause in causes]
    proven, after = [], gap_with(piece, kept)
    if not closes(piece.gap, after):
        return []
    for place, (cause, _) in enumerate(kept):
        without = gap_with(piece, [each for number, each in enumerate(kept) if number != place])
        if closes(piece.gap, without):
            return []  # it is not needed, and so no cause
        proven.append(replace(cause, before=piece.gap, after=after, without=without))
    return proven


def _peeled(piece: Piece, confirm: Confirm, depth: int, stages: Stages, budget: _Budget) -> list[Cause]:
    """The causes of the piece: a single one that is looked for in what is left of it after all that agrees, then in all
    of it; then several."""
    small = narrowed(piece)
    part = piece if small is None else small
    promising = Promising(part) if depth > 1 else None
    for where, watch in [(part, promising), *([] if small is None else [(piece, None)])]:
        if budget.left == 0:
            return []
        budget.left -= 1
        cause = search(where, confirm, watch, stages)
        if cause is not None:
            return [cause]
    for hypothesis in promising.best(TRIED) if promising is not None else ():
        without = _without(hypothesis, part, piece)
        if not _can_be_computed(without, hypothesis.side):
            continue
        rest = _peeled(
            without, lambda first=hypothesis: [_without(first, p, p) for p in confirm()],  # type: ignore[misc]
            depth - 1, _on_one_side(stages, hypothesis.side), budget,
        )  # fmt: skip
        if rest:
            return [Cause(hypothesis, piece.gap, rest[0].before, piece=part), *rest]
    return []


def _on_one_side(stages: Stages, side: str) -> Stages:
    """The kinds of hypotheses that are undone on that side."""
    chosen = ([(family, where) for family, where in stage if where == side] for stage in stages)
    return [stage for stage in chosen if stage]


def _without(hypothesis: Hypothesis, part: Piece, piece: Piece) -> Piece:
    """A piece without what was found in a part of it."""
    return piece.undone(hypothesis.side, hypothesis.edits(part))


def _can_be_computed(piece: Piece, side: str) -> bool:
    """Whether an edit that was found in a part makes sense in all of a piece: there a value may have to take itself."""
    try:
        return bool(piece.half(side).values)
    except Exception:  # what a framework raises of an edit that makes no sense
        return False


def edits_of(cause: Cause) -> Sequence[Edit]:
    """What undoes a cause in the piece that it was found in."""
    assert cause.piece is not None
    return cause.hypothesis.edits(cause.piece)


def gap_with(piece: Piece, undone: Sequence[tuple[Cause, Sequence[Edit]]]) -> float:
    """How far the sides of a piece are apart with causes undone."""
    for cause, edits in undone:
        piece = piece.undone(cause.hypothesis.side, edits)
    return piece.gap
