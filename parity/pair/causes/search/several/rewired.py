"""Where several places would have to take something else: often one layer stands elsewhere."""

from collections.abc import Sequence

from parity.pair.causes.search.families.moved import moved_layer
from parity.pair.causes.search.piece import SIDES, Piece
from parity.pair.causes.search.places import Numbers, result_of
from parity.pair.causes.search.search import Cause, search
from parity.pair.causes.search.several.following import Following, Recorded
from parity.pair.causes.search.several.further import PlaceWithCauses
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState

STAGES = [[(moved_layer, side)] for side in reversed(SIDES)]


def rewirings(steps: Sequence[PlaceWithCauses]) -> list[str]:
    """What would have to be taken instead, where more than one thing would: that brings the sides together, but says
    how they differ and not why. One line of the user's takes the same in each turn of a loop and in each layer that it
    is written for."""
    texts: dict[str, str] = {}
    for step in steps:
        for cause in step.causes:
            if cause.hypothesis.rewires:
                texts.setdefault(_line(cause, step.piece) or cause.hypothesis.text, cause.hypothesis.text)
    return list(texts.values()) if len(texts) > 1 else []


def _line(cause: Cause, piece: Piece) -> str:
    """The side and the user's line of the operation that takes something else; "" if there is none."""
    number, side = cause.hypothesis.operation, cause.hypothesis.side
    place = "" if number is None else (cause.piece or piece).half(side).program.operations[number].place
    return place and f"{side} {place}"


def moved(
    state: CheckState, numbers: tuple[Numbers, Numbers], agreeing: Sequence[CallPairing]
) -> PlaceWithCauses | None:
    """One layer that stands elsewhere, with which all that the networks return agrees; None if there is none.

    Args:
        state: what is known of the pair.
        numbers: those that show the difference, and others.
        agreeing: the calls before the difference that agree.
    """
    target = result_of(state, numbers[0].mode)
    if target is None:
        return None
    piece, another = (Recorded(state, each).piece(target, agreeing) for each in numbers)
    cause = search(piece, lambda: [another], stages=STAGES)
    return None if cause is None else PlaceWithCauses(Following(target, agreeing), piece, [cause])
