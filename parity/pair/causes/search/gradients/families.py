"""Hypotheses on a backward pass: what is stopped, what goes back in a way of its own, and factors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.backward import OTHERWISE, Backward
from parity.interface.programs.operations import Change, Edit, Setting
from parity.interface.programs.program import Pull
from parity.pair.causes.search.families.functions import factors, named
from parity.pair.causes.search.gradients.points import at_points
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece, same
from parity.pair.causes.search.written import text_of

WAYS = {"flax": "jax.lax.stop_gradient", "torch": "detach()"}
"""Side → how people stop gradients there."""
NumberedPull = tuple[int, Pull]


def stopped(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side stops gradients, or sends them back in a way of its own, and the other does not."""
    half = piece.half(side)
    every = _pulls(half)
    for number, pull in every:
        text, mend = _words(half, side, number, pull)
        yield Hypothesis(side, text, mend, always(Setting(number, OTHERWISE, True)), number)
    for run in _runs([number for number, pull in every if pull.kind == "not recorded"]):
        text, mend = _words(half, side, run[0], dict(every)[run[0]])
        yield Hypothesis(side, text, mend, always(*(Setting(n, OTHERWISE, True) for n in run)), run[0])


def _pulls(half: Half) -> list[NumberedPull]:
    program = half.program
    assert isinstance(program, Backward)
    return [(number, program.kinds[number]) for number in half.numbers if number in program.kinds]


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    """All of several operations, and those of one line after the other."""
    if len(numbers) > 1:
        yield list(numbers)
        for size in range(2, len(numbers)):
            yield from (list(numbers[at : at + size]) for at in range(len(numbers) - size + 1))


def _words(half: Half, side: str, number: int, pull: Pull) -> tuple[str, str]:
    here, there = NAMES[side], NAMES[other(side)]
    program = half.program
    assert isinstance(program, Backward)
    forward = program.forward.operations[pull.last]
    at = f" at {forward.place}" if forward.place else ""
    if pull.kind == "custom":
        does = next((d.words for d in _does(half, number)), "")
        way = f", which {does}" if does else ""
        return (
            f"{here}'s {pull.name} has a backward pass of its own{way}, and {there} has none",
            f"give {there} the same backward pass, or leave {pull.name} out in {here}{at}",
        )
    if pull.kind == "not recorded":
        mend = f"leave no_grad out in {here}{at}, or write {WAYS[other(side)]} in {there}"
        return f"{here} stops gradients: it computes {forward.name} under no_grad, and {there} does not", mend
    what = named(Half(program.forward, pull.operands[0]), pull.operands[0])
    mend = f"leave {forward.name} out in {here}{at}, or write {WAYS[other(side)]} in {there} too"
    return f"{here} stops the gradient of {what} ({forward.name}), and {there} does not", mend


@dataclass(frozen=True)
class _Does:
    """What a backward pass of the user's own does to gradients: in words, and as a function."""

    words: str
    function: Callable[[NDArray], NDArray]


def _does(half: Half, number: int) -> Iterator[_Does]:
    """What fits the numbers; other numbers have to tell which of these it is."""
    each = half.program.operations[number]
    if len(each.operands) != 1 or len(each.results) != 1:
        return
    gradient, made = half.values[each.operands[0]], half.values[each.results[0]]
    if gradient.shape != made.shape or not gradient.any():
        return
    if not made.any():
        yield _Does("stops it", np.zeros_like)
        return
    top, length = float(np.abs(made).max()), float(np.linalg.norm(made))
    if same(np.clip(gradient, -top, top), made) and not same(gradient, made):
        yield _Does(f"cuts each number at ±{text_of(top)}", lambda g: np.clip(g, -top, top))
    factor = float((gradient * made).sum() / (gradient * gradient).sum())
    if same(factor * gradient, made):
        yield _Does(f"multiplies it with {text_of(factor)}", lambda g: factor * g)
        yield _Does(
            f"cuts its norm at {text_of(length)}",
            lambda g: g * min(1.0, length / max(float(np.linalg.norm(g)), 1e-300)),
        )


def instead(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """Both sides send gradients back in ways of their own, and not in the same."""
    half, theirs = piece.half(side), piece.half(other(side))
    customs = [number for number, pull in _pulls(theirs) if pull.kind == "custom"]
    for number, pull in _pulls(half):
        each = half.program.operations[number]
        if pull.kind != "custom" or len(each.results) != 1:
            continue
        words = " or ".join(does.words for does in _does(half, number)) or "does something else"
        for does in (does for their in customs for does in _does(theirs, their)):
            text = f"the backward pass of {NAMES[side]}'s {pull.name} {words}, {NAMES[other(side)]}'s {does.words}"
            mend = f"write a backward pass that {does.words} in {NAMES[side]}, or the other way round"
            yield Hypothesis(side, text, mend, _of_given(side, number, does.function), number, each.results[0])


def _of_given(side: str, number: int, function: Callable[[NDArray], NDArray]) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        half = piece.half(side)
        each = half.program.operations[number]
        gradient = half.values[each.operands[0]]
        return [Change(each.results[0], lambda _: function(gradient))]

    return edits


def scaled(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side multiplies gradients with something that the other does not."""
    for hypothesis in factors(piece, side):
        if " multiplies " in hypothesis.text:
            yield replace(hypothesis, text=f"in the backward pass, {hypothesis.text}")


STAGES = [[(family, side) for side in ("torch", "flax")] for family in (stopped, instead, at_points, scaled)]
"""Kinds of hypotheses with the side on which they are undone, in the order in which they are tried."""
