"""Pairs units with equal signatures: those of one name first, then in the order in which the networks run them."""

from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher

from parity.pair.weightmap.pairing.names import telling_words, tokens, unit_likeness
from parity.pair.weightmap.pairing.signatures import ShapedUnit, by_signature, without

UnitPairs = Iterator[tuple[ShapedUnit, ShapedUnit]]
Named = tuple[ShapedUnit, list[str]]
"""A unit and the tokens of its name."""


def units_of_equal_names(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of equal signatures, of which those with the same names belong together."""
    return _equal_units(flax, torch, by_name=True)


def units_in_order(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of equal signatures in the order of execution, whatever their names."""
    return _equal_units(flax, torch, by_name=False)


def _equal_units(flax: list[ShapedUnit], torch: list[ShapedUnit], by_name: bool) -> UnitPairs:
    """Pairs of equal signatures.

    Where both sides run as many units of a signature, these are paired, and then those that never run. Where they only
    have as many, all are paired. Else a common subsequence of all layers says which units belong together, and the rest
    is paired in order.
    """
    torch_groups = by_signature(torch)
    common = None
    for signature, ours in by_signature(flax).items():
        theirs = torch_groups.get(signature, [])
        running = [[unit for unit in units if unit.unit.runs] for units in (ours, theirs)]
        if len(running[0]) == len(running[1]):
            yield from pair_group(running[0], running[1], by_name)
            yield from pair_group(without(ours, running[0]), without(theirs, running[1]), by_name)
        elif len(ours) == len(theirs):
            yield from pair_group(ours, theirs, by_name)
        elif theirs:
            common = common_subsequence(flax, torch) if common is None else common
            pairs = list(of_one_name(ours, theirs)) if by_name else []
            taken = {id(unit) for pair in pairs for unit in pair}
            pairs += [(a, b) for a, b in common if a.signature == signature and not {id(a), id(b)} & taken]
            yield from pairs
            rest = without(ours, [a for a, _ in pairs]), without(theirs, [b for _, b in pairs])
            yield from pair_group(*rest, by_name)


def of_one_name(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs whose paths are one, but for words that say nothing of which layer it is, and no other's."""
    ours, theirs = _by_name(flax), _by_name(torch)
    for name, units in ours.items():
        if len(name) > 1 and len(units) == len(theirs.get(name, ())) == 1 and not all(map(str.isdigit, name)):
            yield units[0], theirs[name][0]


def _by_name(units: list[ShapedUnit]) -> dict[tuple[str, ...], list[ShapedUnit]]:
    names: dict[tuple[str, ...], list[ShapedUnit]] = {}
    for unit in units:
        names.setdefault(telling_words(unit.unit.path), []).append(unit)
    return names


def pair_group(flax: list[ShapedUnit], torch: list[ShapedUnit], by_name: bool = True) -> UnitPairs:
    """Pairs of units that are alike; the longer list keeps some. Single arrays of modules of no known kind are always
    paired by the likeness of their names."""
    if flax and flax[0].is_custom and len(flax) > 1:
        yield from _likest(flax, torch)
    elif by_name:
        ours, theirs = ([(unit, tokens(unit.unit.path)) for unit in units] for units in (flax, torch))
        yield from _by_tokens(ours, theirs, 0)
    else:
        yield from zip(flax, torch, strict=False)


def _likest(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> UnitPairs:
    """Pairs of units, trained ones with trained ones before others, and of these the likest names first."""
    every = [(_both_trained(a, b), unit_likeness(a, b), i, k) for i, a in enumerate(flax) for k, b in enumerate(torch)]
    paired: tuple[set[int], set[int]] = set(), set()
    for _, _, i, k in sorted(every, key=lambda pair: (not pair[0], -pair[1], pair[2], pair[3])):
        if i not in paired[0] and k not in paired[1]:
            paired[0].add(i)
            paired[1].add(k)
            yield flax[i], torch[k]


def _both_trained(flax: ShapedUnit, torch: ShapedUnit) -> bool:
    """Whether both units are trained, or neither is."""
    return bool(flax.tables) == bool(torch.tables)


def _by_tokens(flax: list[Named], torch: list[Named], depth: int) -> UnitPairs:
    """Pairs of units, grouped by one token of their names after the other, from the last component on; in each group,
    and among those whose token the other side does not have as often, in order."""
    if len(flax) < 2 or all(len(names) <= depth for _, names in (*flax, *torch)):
        yield from ((a, b) for (a, _), (b, _) in zip(flax, torch, strict=False))
        return
    ours, theirs = _by_token(flax, depth), _by_token(torch, depth)
    shared = [token for token in ours if token and len(ours[token]) == len(theirs.get(token, []))]
    for token in shared:
        yield from _by_tokens(ours[token], theirs[token], depth + 1)
    rest = [[named for named in side if _token(named, depth) not in shared] for side in (flax, torch)]
    if rest[0] and rest[1]:
        yield from _by_tokens(rest[0], rest[1], depth + 1)


def _by_token(units: list[Named], depth: int) -> dict[str, list[Named]]:
    groups = defaultdict(list)
    for named in units:
        groups[_token(named, depth)].append(named)
    return groups


def _token(named: Named, depth: int) -> str:
    return named[1][depth] if depth < len(named[1]) else ""


def common_subsequence(flax: list[ShapedUnit], torch: list[ShapedUnit]) -> list[tuple[ShapedUnit, ShapedUnit]]:
    """The units that a longest run after run of equal signatures pairs."""
    ours, theirs = ([unit.signature for unit in side] for side in (flax, torch))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [(flax[block.a + step], torch[block.b + step]) for block in blocks for step in range(block.size)]
