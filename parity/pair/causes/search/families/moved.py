"""Hypotheses on layers that stand in another place: a norm before a layer or after the sum, an activation before or
after a norm."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Edit
from parity.interface.programs.program import Program
from parity.pair.causes.search.families.orders import names_of_calls, value_words
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, other
from parity.pair.causes.search.piece import Half, Piece

Ends = tuple[int, int]
"""The values that a layer takes and gives."""


def moved_layer(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side applies a layer to one value, the other side to another."""
    half = piece.half(side)
    names = names_of_calls(half)
    for path, (start, end) in _layers(half).items():
        for value in half.made:
            array = half.values[value]
            if value in (start, end) or array.shape != half.values[start].shape or array.dtype.kind != "f":
                continue
            was, wanted = value_words(half, start, names), value_words(half, value, names)
            text = f"{NAMES[side]} applies {path} to {was}, {NAMES[other(side)]} to {wanted}"
            mend, edits = f"apply {path} to {wanted} in {NAMES[side]}", _moved(side, (start, end), value)
            yield Hypothesis(side, text, mend, edits, half.program.maker[end])


def _moved(side: str, ends: Ends, value: int) -> Callable[[Piece], Sequence[Edit]]:
    """The edits that pass a layer by, and apply it to another value, in the piece that they are made for."""
    start, end = ends

    def edits(piece: Piece) -> Sequence[Edit]:
        program = piece.half(side).program
        return [Alias(end, start), Change(value, partial(_applied, program=program, ends=ends))]

    return edits


def _layers(half: Half) -> dict[str, Ends]:
    """Path of each layer of one input and one output of one shape → these."""
    layers: dict[str, Ends] = {}
    for call in half.program.calls:
        if call.path and len(call.inputs) == len(call.outputs) == 1:
            start, end = call.inputs[0], call.outputs[0]
            inside = start in half.values and end in half.values and start != end
            if inside and half.values[start].shape == half.values[end].shape and end in half.program.maker:
                layers.setdefault(call.path, (start, end))
    return layers


def _applied(array: NDArray, program: Program, ends: Ends) -> NDArray:
    """A layer on another array than in the pass."""
    start, end = ends
    return np.asarray(program.compute([end], [Change(start, lambda _: array)])[0])
