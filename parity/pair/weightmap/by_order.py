"""Pairs units with equal signatures in the order in which the networks run them."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from parity.pair.weightmap.names import unit_likeness
from parity.pair.weightmap.signatures import ShapedUnit, by_signature, without

UnitPairs = Iterator[tuple[ShapedUnit, ShapedUnit]]


def equal_units(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of equal signatures.

    Where both sides have as many units of a signature, all are paired in order. Else a common subsequence of all
    layers says which units belong together, and the rest is paired in order.
    """
    torch_groups = by_signature(torch)
    common = None
    for signature, ours in by_signature(flax).items():
        theirs = torch_groups.get(signature, [])
        if len(ours) == len(theirs):
            yield from in_order(ours, theirs)
        elif theirs:
            common = _common_subsequence(flax, torch) if common is None else common
            pairs = [(a, b) for a, b in common if a.signature == signature]
            yield from pairs
            yield from in_order(without(ours, [a for a, _ in pairs]), without(theirs, [b for _, b in pairs]))


def in_order(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs in order; single arrays of modules of no known kind are paired by the likeness of their names."""
    if not flax or not flax[0].is_custom or len(flax) == 1:
        yield from zip(flax, torch, strict=False)
        return
    rest = list(torch)
    for unit in flax[: len(rest)]:
        nearest = max(rest, key=lambda other: unit_likeness(unit, other))
        rest = without(rest, [nearest])
        yield unit, nearest


def _common_subsequence(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> list[tuple[ShapedUnit, ShapedUnit]]:
    """The units that a longest run after run of equal signatures pairs."""
    ours, theirs = ([unit.signature for unit in side] for side in (flax, torch))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [(flax[block.a + step], torch[block.b + step]) for block in blocks for step in range(block.size)]
