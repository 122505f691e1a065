"""Goes on after a cause is undone: at the next difference, in the same piece and at later layers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Edit
from parity.interface.trace import spoken
from parity.pair.causes.search.operation import lines_of_fork
from parity.pair.causes.search.piece import SIDES, Piece
from parity.pair.causes.search.places import Target
from parity.pair.causes.search.search import STAGES, Cause, Stages
from parity.pair.causes.search.several.following import Following
from parity.pair.causes.search.several.peel import peel
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.report.records import Difference

PLACES = 6
"""Differences that are looked for, one after the other."""


@dataclass(frozen=True)
class PlaceWithCauses:
    """What was found at one place.

    Args:
        place: the value that differs.
        piece: the operations in which the difference begins.
        causes: the causes, in order; none where none was found.
        lines: each side's line of the operation at which the programs part, where it is known.
    """

    place: Following
    piece: Piece
    causes: Sequence[Cause]
    lines: Mapping[str, str] = field(default_factory=dict)


class Passes(Protocol):
    """One pass of both networks, forward or backward, in which causes are undone."""

    def piece(self, target: Target, agreeing: Sequence[CallPairing]) -> Piece:
        """The piece before a target, starting from what agrees."""

    def undo(self, side: str, edits: Sequence[Edit]) -> None:
        """Undo a cause for good."""

    def following(self) -> Following | None:
        """The first value that still differs; None if none does."""


def all_causes(
    shown: Passes, confirming: Callable[[bool], Sequence[Passes]], first: Following, stages: Stages = STAGES
) -> Iterator[PlaceWithCauses]:
    """The causes at the first difference, then those at the next after these are undone, and so on, until nothing that
    is returned differs or no cause is found.

    Args:
        shown: the passes that show the difference; what is found is undone in them.
        confirming: makes the same passes with other numbers, which every cause has to explain too; told whether what
            differs first is whole numbers or truth values, each of which tells little.
        first: the first difference.
        stages: the kinds of hypotheses.
    """
    others: list[Passes] = []
    place: Following | None = first
    for _ in range(PLACES):
        if place is None:
            return
        here = place

        piece = shown.piece(here.target, here.agreeing)
        whole = piece.torch.values[piece.torch.target].dtype.kind in "iub"

        def confirm(here: Following = here, whole: bool = whole) -> list[Piece]:
            others.extend([] if others else confirming(whole))
            return [other.piece(here.target, here.agreeing) for other in others]

        if here is not first and piece.gap <= AGREED:
            return  # only the layout of a layer inside is another one, with what is undone
        causes = peel(piece, confirm, stages)
        lines = lines_of_fork(piece) if len(causes) == 1 else {}  # several causes part the programs at several places
        yield PlaceWithCauses(here, piece, causes, lines)
        if not causes:
            return
        _undo([(shown, piece), *zip(others, confirm(), strict=True)], causes)
        place = shown.following()


def _undo(pieces: Sequence[tuple[Passes, Piece]], causes: Sequence[Cause]) -> None:
    for recorded, each in pieces:
        piece = each
        for cause in causes:
            edits = cause.hypothesis.edits(piece)
            piece = piece.undone(cause.hypothesis.side, edits)
            recorded.undo(cause.hypothesis.side, edits)


WHAT = {"loss": "the loss", "gradient": "a gradient"}
"""Kind of a target → what it is."""


def where(place: Following, state: CheckState, first: Difference, piece: Piece) -> Difference:
    """The place of a further difference, in words.

    Args:
        place: the value that differs.
        state: what is known of the pair.
        first: the first difference.
        piece: the operations in which this one begins.
    """
    worst = _worst(piece)
    if place.pairing is None:
        what = WHAT.get(place.target.kind, "what the networks return")
        text = f"{what} still differs in {first.mode}"
        return Difference(first.rung, "", "the network", text, *worst, mode=first.mode)
    layer = state.compared[first.mode].layers[state.calls[first.mode].index(place.pairing)]
    name = spoken(layer.torch)
    text = f"the output of {name} ({layer.type}) differs in {first.mode} though its input agrees"
    names = layer.flax, layer.torch
    if place.target.kind == "inputs":
        text = f"the input of {name} ({layer.type}) differs in {first.mode}"
        names = f"input of {layer.flax}", f"input of {layer.torch}"
    return Difference(first.rung, *names, text, *worst, mode=first.mode)


def _worst(piece: Piece) -> tuple[tuple[int, ...], dict[str, float]]:
    """The index of the worst element in PyTorch's layout, and each side's value there."""
    flax, torch = (piece.half(side).values[piece.half(side).target] for side in SIDES)
    for turn in piece.turns:
        try:
            ours = turn(flax)
        except ValueError:
            continue
        if ours.shape == torch.shape and torch.size:
            with np.errstate(all="ignore"):
                index = np.unravel_index(int(np.nanargmax(np.nan_to_num(np.abs(ours - torch)))), torch.shape)
            return tuple(map(int, index)), {"flax": float(ours[index]), "torch": float(torch[index])}
    return (), {}


def rest_of(shown: Passes, first: Difference, differences: Sequence[Difference], what: str) -> str:
    """What is left after all causes are undone, in one sentence; "" where that is not known."""
    if first.rung == "state" or not all(each.cause for each in differences):
        return ""
    if shown.following() is not None:
        return ""
    them = "it" if len(differences) == 1 else "all of them"
    return f"with {them} undone, {what} the same in {first.mode}"
