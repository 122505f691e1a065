"""Hypotheses on how often a pass updates what a network keeps: a layer with running statistics that is called again."""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from parity.interface.programs.operations import Alias, Edit
from parity.interface.programs.places import period
from parity.pair.causes.search.families.calls import times
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece

WAYS = 256
"""Ways from a buffer after the pass to the one before it that are looked at."""
Link = tuple[str, int, int, int]
"""Name of an operation, the places of what it takes and of what it gives, and the value that it gives."""


def more_updates(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side updates a buffer more often in a pass than the other."""
    half, theirs = piece.half(side), piece.half(other(side))
    states, their_states = _states(half), _states(theirs)
    if not states or not their_states or len(states) <= len(their_states):
        return
    counts, extra = [len(each) - 1 for each in (states, their_states)], len(states) - len(their_states)
    name = _buffer(half)
    for left_out in combinations(range(1, len(states)), extra):
        number = half.program.maker[states[left_out[0]]]
        place = half.program.operations[number].place
        text = (
            f"{NAMES[side]} updates {name} {times(counts[0])} in a pass, and {NAMES[other(side)]} {times(counts[1])}: "
            f"the layer is called {_more(extra)}"
        )
        mend = f"call that layer {_fewer(extra)} in {NAMES[side]}{f' at {place}' if place else ''}"
        yield Hypothesis(side, text, mend, always(*_without(states, left_out)), number, states[left_out[0]], exact=True)


def _without(states: Sequence[int], left_out: Sequence[int]) -> list[Edit]:
    """The edits that let these states of a buffer be the ones before them."""
    edits: list[Edit] = []
    last = states[0]
    for place, value in enumerate(states[1:], start=1):
        if place in left_out:
            edits.append(Alias(value, last))
        else:
            last = value
    return edits


def _buffer(half: Half) -> str:
    """The name of the buffer that the target is; "" where it is none."""
    return next((name for name, value in half.program.named.buffers.items() if value == half.target), "")


def _states(half: Half) -> list[int]:
    """The buffer that the target is before the pass, after each of its updates, the target last; none where the target
    is no buffer."""
    name = _buffer(half)
    start = next((v for v, origin in half.program.origins.items() if origin == ("array", name)), None)
    if not name or start is None:
        return []
    if start == half.target:
        return [start]
    every = (_updates(way) for way in islice(_ways(half, start), WAYS))
    return [start, *max(every, key=len, default=[])]


def _updates(way: Sequence[Link]) -> list[int]:
    """The values after each turn of what a way repeats."""
    length = period([link[:3] for link in way])
    return [link[3] for link in way[length - 1 :: length]]


def _ways(half: Half, start: int) -> Iterator[list[Link]]:
    """The operations by which the target is made of a buffer, in order, through values of the buffer's shape."""
    shape, inside = half.values[half.target].shape, set(half.numbers)
    open_: list[tuple[int, list[Link]]] = [(half.target, [])]
    while open_:
        value, way = open_.pop()
        if value == start:
            yield way[::-1]
            continue
        maker = half.program.maker.get(value)
        if maker is None or maker not in inside:
            continue
        each = half.program.operations[maker]
        for place, operand in enumerate(each.operands):
            if half.values[operand].shape == shape:
                open_.append((operand, [*way, (each.name, place, each.results.index(value), value)]))


def _more(extra: int) -> str:
    return "once more" if extra == 1 else f"{extra} times more"


def _fewer(extra: int) -> str:
    return "once less" if extra == 1 else f"{extra} times less"
