"""Hypotheses on gradients at single points, where they are a convention: zeros, ties, and what has no finite one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.backward import Backward
from parity.interface.programs.operations import Change, Edit, Operation, numbers_in
from parity.pair.causes.search.families.reductions import axes_between
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Piece, same
from parity.pair.causes.search.written import text_of

SHARES = (0.0, 1.0, 0.5, -1.0)
"""What part of a gradient a framework lets through at a kink, one or the other."""
MOST_AXES = 2
"""Axes that are reduced at once at most."""
EXTREMES: Mapping[str, Callable[..., NDArray]] = {
    **dict.fromkeys(("max", "amax", "reduce_max"), np.max),
    **dict.fromkeys(("min", "amin", "reduce_min"), np.min),
}
"""Name of an operation → the largest or the smallest along axes."""


@dataclass(frozen=True)
class _Back:
    """One gradient that an operation of the backward pass gives.

    Args:
        number: the operation of the backward pass.
        forward: the operation of the forward pass that it goes back through.
        value: the number of the gradient.
        made, incoming: the gradient, and what comes back to the operation.
        x, y: what the operation of the forward pass takes there, and what it gives.
        others: the other floating arrays that it takes.
    """

    number: int
    forward: Operation
    value: int
    made: NDArray
    incoming: NDArray
    x: NDArray
    y: NDArray
    others: Sequence[NDArray]

    @property
    def name(self) -> str:
        """The operation with the user's line."""
        return f"{self.forward.name} at {self.forward.place}" if self.forward.place else self.forward.name


Gradient = Callable[[_Back], NDArray]
"""What a gradient would be."""


def at_points(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """At a point where a gradient is a convention, one framework has another than the other, or none that is finite."""
    here, there = NAMES[side], NAMES[other(side)]
    for back in _backs(piece, side):
        if not np.isfinite(back.made).all():
            yield _not_finite(back, side)
            continue
        for where, now, does, gradient in (*_kinks(back), *_ties(back)):
            text = f"{where}, {here}'s {back.forward.name} {now}, and {there} {does}"
            mend = f"write {back.name} in {here} so that it {does}, or the other way round"
            yield Hypothesis(side, text, mend, _made_otherwise(back, side, gradient), back.number, back.value)


def _made_otherwise(back: _Back, side: str, gradient: Gradient) -> Callable[[Piece], Sequence[Edit]]:
    """The edit that lets this gradient be made in another way, with the numbers of the piece that it is made for."""

    def edits(piece: Piece) -> Sequence[Edit]:
        here = next((each for each in _backs(piece, side, back.number) if each.value == back.value), None)
        return [] if here is None else [Change(back.value, lambda _: gradient(here))]

    return edits


def _backs(piece: Piece, side: str, only: int | None = None) -> Iterator[_Back]:
    half = piece.half(side)
    program = half.program
    assert isinstance(program, Backward)
    for number, each in half.operations:
        if only not in (None, number):
            continue
        forward = program.operation_of(number)
        if forward is None or len(each.operands) != 1 or len(forward.results) > 2:
            continue
        try:
            *taken, y = program.forward.compute([*forward.operands, forward.results[0]])
        except Exception:  # the forward pass may have let go of what an operation took
            continue
        arrays = dict(zip(forward.operands, taken, strict=True))
        incoming = half.values[each.operands[0]]
        for value, operand in zip(each.results, program.operands_of(number), strict=True):
            made = half.values.get(value)
            if made is not None and made.shape == arrays[operand].shape and y.shape == incoming.shape:
                others = [a for n, a in arrays.items() if n != operand and a.dtype.kind == "f"]
                yield _Back(number, forward, value, made, incoming, arrays[operand], y, others)


def _not_finite(back: _Back, side: str) -> Hypothesis:
    """The gradient is infinite or none at some points; on the other side it is 0 there."""
    odd = ~np.isfinite(back.made)
    taken = back.x[odd]
    where = "0" if not taken.any() else "0 or less" if (taken <= 0).all() else "such numbers as it does"
    text = (
        f"{NAMES[side]}'s {back.forward.name} has no finite gradient where it takes {where} ({int(odd.sum())} numbers),"
        f" and {NAMES[other(side)]}'s gradient is 0 there"
    )
    mend = (
        f"give {back.forward.name} a safe number there in {NAMES[side]}, and choose between both results: "
        "where(ok, f(where(ok, x, 1)), 0)"
    )
    return Hypothesis(side, text, mend, always(Change(back.value, _finite)), back.number, back.value)


def _finite(gradient: NDArray) -> NDArray:
    return np.where(np.isfinite(gradient), gradient, 0.0)


Way = tuple[str, str, str, Gradient]
"""Where it is, what this side does there, what the other side does, and the gradient with that."""


def _kinks(back: _Back) -> Iterator[Way]:
    """Points at which a function of single numbers has a kink: 0, a bound, two numbers that are equal."""
    if back.incoming.shape != back.made.shape:
        return
    bounds = [float(n) for value in back.forward.settings.values() for n in numbers_in(value)]
    for point in dict.fromkeys((0.0, *bounds, None)):
        there = _at(back, point)
        if not back.incoming[there].any():
            continue
        now = next((share for share in SHARES if same(share * back.incoming[there], back.made[there])), None)
        for share in SHARES:
            if now is not None and share != now:
                where = "where it takes equal numbers" if point is None else f"where it takes {text_of(point)}"
                lets = f"lets {text_of(now)} of the gradient through", f"lets {text_of(share)} of it through"
                yield where, *lets, partial(_share_at, point=point, share=share)


def _share_at(back: _Back, point: float | None, share: float) -> NDArray:
    return np.where(_at(back, point), share * back.incoming, back.made)


def _at(back: _Back, point: float | None) -> NDArray:
    """Where an operation takes a number, or where what it takes is equal to what else it takes."""
    if point is not None:
        return np.asarray(back.x == point)
    alike = [a for a in back.others if a.shape == back.x.shape or a.size == 1]
    return np.any([back.x == a for a in alike], axis=0) if alike else np.zeros(back.x.shape, bool)


def _ties(back: _Back) -> Iterator[Way]:
    """An extreme of a row that several numbers have."""
    if _reduced(back) is None:
        return
    now = next((does for does in SHARING if same(_shared(back, does), back.made)), None)
    for does in SHARING:
        if now is not None and does != now and not same(_shared(back, does), back.made):
            yield "where several numbers are equal", now, does, partial(_shared, does=does)


def _shared(back: _Back, does: str) -> NDArray:
    """What comes back to an extreme, divided among the numbers that have it."""
    axes = _reduced(back)
    if axes is None:
        return back.made
    shape = [1 if axis in axes else size for axis, size in enumerate(back.x.shape)]
    return np.asarray(SHARING[does](back.x == back.y.reshape(shape), axes) * back.incoming.reshape(shape))


def _reduced(back: _Back) -> tuple[int, ...] | None:
    """The axes along which an extreme is taken; None where none is."""
    extreme = EXTREMES.get(back.forward.name)
    if extreme is None:
        return None
    for axes in axes_between(back.x, back.y.size, MOST_AXES):
        if np.array_equal(extreme(back.x, axis=axes).ravel(), back.y.ravel()):
            return axes
    return None


def _only(ties: NDArray, axes: tuple[int, ...], *, first: bool) -> NDArray:
    last = tuple(range(-len(axes), 0))
    rows = np.moveaxis(ties, axes, last)
    flat = rows.reshape(*rows.shape[: rows.ndim - len(axes)], -1)
    places = flat.argmax(-1) if first else flat.shape[-1] - 1 - flat[..., ::-1].argmax(-1)
    shares = np.zeros(flat.shape)
    np.put_along_axis(shares, places[..., None], 1.0, -1)
    return np.moveaxis(shares.reshape(rows.shape), last, axes)


SHARING: Mapping[str, Callable[[NDArray, tuple[int, ...]], NDArray]] = {
    "shares the gradient evenly": lambda ties, axes: ties / ties.sum(axes, keepdims=True),
    "gives the gradient to the first": partial(_only, first=True),
    "gives the gradient to the last": partial(_only, first=False),
    "gives the gradient to each": lambda ties, axes: ties.astype(np.float64),
}
"""How the gradient may be divided among equal numbers → each one's share, of where they are and the axes."""
