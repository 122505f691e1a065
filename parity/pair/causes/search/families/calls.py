"""Hypotheses on how often a layer is called: one that is applied to what it gave once more than on the other side."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from parity.interface.programs.operations import Alias, ValuesOfCall
from parity.pair.causes.search.families.orders import ordinal
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.lookup import Lookup
from parity.pair.causes.search.piece import Half, Piece


def called_again(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side calls a layer more often, one call after the other, than the other side."""
    half, theirs = piece.half(side), piece.half(other(side))
    for path, calls in sorted(_repeated(half).items(), key=lambda item: len(item[0])):
        value, count = calls[-1].outputs[0], len(calls)
        if value not in half.values or value not in half.program.maker:
            continue
        there = _count_there(half, theirs, calls[0])
        for fewer in [there] if there is not None and there < count else range(count - 1, 0, -1):
            text = f"{NAMES[side]} calls {path} {times(count)}, and {NAMES[other(side)]} {times(fewer)}"
            mend = f"call {path} {times(fewer)} in {NAMES[side]}"
            if there is not None and there >= count:  # what some of its calls give is dropped
                last, which = (f"what the {ordinal(nth)} call of {path} gives" for nth in (count, fewer))
                text = f"{NAMES[side]} takes {last}, and {NAMES[other(side)]} {which}"
                mend = f"take {which} in {NAMES[side]}"
            edit = Alias(value, calls[fewer - 1].outputs[0])
            yield Hypothesis(side, text, mend, always(edit), half.program.maker[value], value)


def times(count: int) -> str:
    """How often something is done."""
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _repeated(half: Half) -> dict[str, list[ValuesOfCall]]:
    """Path of each layer that is called several times, each time with something made of what it gave before, and that
    gives one value of one shape → the calls."""
    by_path: dict[str, list[ValuesOfCall]] = {}
    for call in half.program.calls:
        if call.path:
            by_path.setdefault(call.path, []).append(call)
    return {path: calls for path, calls in by_path.items() if len(calls) > 1 and _follow(half, calls)}


def _follow(half: Half, calls: Sequence[ValuesOfCall]) -> bool:
    if any(len(call.outputs) != 1 for call in calls):
        return False
    for before, after in pairwise(calls):
        a, b = (half.value(call.outputs[0], ()) for call in (before, after))
        if a is None or b is None or a.shape != b.shape or not _made_of(half, after.inputs, before.outputs[0]):
            return False
    return True


def _made_of(half: Half, values: Sequence[int], source: int) -> bool:
    """Whether any of these values is made of another one."""
    operations, maker = half.program.operations, half.program.maker
    seen, open_ = set[int](), list(values)
    while open_:
        value = open_.pop()
        if value == source:
            return True
        if value in maker and maker[value] not in seen:
            seen.add(maker[value])
            open_ += operations[maker[value]].operands
    return False


def _count_there(half: Half, theirs: Half, call: ValuesOfCall) -> int | None:
    """How often the other side calls the layer that gives what this call gives; None where it has no such layer."""
    array = half.value(call.outputs[0], ())
    calls = [each for each in theirs.program.calls if each.path and len(each.outputs) == 1]
    arrays = ((each.outputs[0], theirs.value(each.outputs[0], ())) for each in calls)
    alike = set() if array is None else set(Lookup({v: a for v, a in arrays if a is not None}).find(array))
    paths = [each.path for each in calls if each.outputs[0] in alike]
    return max((sum(each.path == path for each in calls) for path in paths), default=None)
