"""Aligns the arrays of two networks in the order in which they run, where one array may be several of the other's."""

from collections.abc import Callable, Sequence

from parity.pair.weightmap.pairing.names import are_of_one_order, tokens
from parity.pair.weightmap.pairing.pieces import Entry, fitting_axis
from parity.pair.weightmap.pairing.signatures import sizes

MOST = 8
"""So many pieces of one array are looked for."""
EQUAL, PIECES, NAMED = 4, 6, 1
"""What an alignment gains by two equal arrays, by an array with each of its pieces, and by each of these that names
say: arrays of equal sizes are rather paired with each other where that leaves no piece over."""

Window = tuple[Entry, tuple[Entry, ...]]
_Step = tuple[int, int, int]
"""What the alignment up to a place gains, and where its last step came from: places among wholes and parts."""


def aligned_windows(
    wholes: Sequence[Entry], parts: Sequence[Entry], together: Callable[[Sequence[Entry]], bool], *, crossed: bool
) -> list[Window]:
    """The arrays that are several of the other side's, with these, in the alignment that pairs most.

    Args:
        wholes, parts: The arrays of both sides in the order in which they run.
        together: Whether arrays may be pieces of one.
        crossed: Whether the alignment may also have one of the parts in several of the wholes.
    """
    best = _alignment(wholes, parts, together, crossed)
    windows, i, j = [], len(wholes), len(parts)
    while i and j:
        _, before_i, before_j = best[i][j]
        if before_i == i - 1 and j - before_j > 1:
            windows.append((wholes[before_i], tuple(parts[before_j:j])))
        i, j = before_i, before_j
    return windows[::-1]


def _alignment(
    wholes: Sequence[Entry], parts: Sequence[Entry], together: Callable[[Sequence[Entry]], bool], crossed: bool
) -> list[list[_Step]]:
    """The best alignment of the first i wholes and the first j parts, for every i and j."""
    best: list[list[_Step]] = [[(0, max(i - 1, 0), 0) for _ in range(len(parts) + 1)] for i in range(len(wholes) + 1)]
    for i in range(1, len(wholes) + 1):
        for j in range(1, len(parts) + 1):
            choices = [(best[i - 1][j][0], i - 1, j), (best[i][j - 1][0], i, j - 1)]
            if sizes(wholes[i - 1].shape) == sizes(parts[j - 1].shape):
                gain = EQUAL + NAMED * _are_named_alike(wholes[i - 1], parts[j - 1])
                choices.append((best[i - 1][j - 1][0] + gain, i - 1, j - 1))
            choices += [
                (best[i - 1][start][0] + _gain(parts[start:j]), i - 1, start)
                for start in _starts(wholes[i - 1], parts, j, together)
            ]
            choices += [
                (best[start][j - 1][0] + _gain(wholes[start:i]), start, j - 1)
                for start in (_starts(parts[j - 1], wholes, i, together) if crossed else ())
            ]
            best[i][j] = max(choices, key=lambda step: step[0])
    return best


def _are_named_alike(whole: Entry, part: Entry) -> bool:
    """Whether two arrays have one path."""
    return tokens(whole.unit.unit.path) == tokens(part.unit.unit.path)


def _gain(window: Sequence[Entry]) -> int:
    """What an array with these pieces is worth."""
    single = len({entry.unit.unit.path for entry in window}) == 1
    names = [entry.role if single else entry.unit.unit.path for entry in window]
    return len(window) * (PIECES + NAMED * are_of_one_order(names))


def _starts(whole: Entry, parts: Sequence[Entry], stop: int, together: Callable[[Sequence[Entry]], bool]) -> list[int]:
    """The places where a window of parts may begin that ends at a place, is as large as the whole and fits it."""
    size, starts = 0, []
    for start in range(stop - 1, max(stop - 1 - MOST, -1), -1):
        size += parts[start].size
        window = parts[start:stop]
        fits = size == whole.size and len(window) > 1 and together(window)
        if fits and fitting_axis(whole, window) is not None:
            starts.append(start)
        if size >= whole.size:
            break
    return starts
