"""Finds the arrays that one side holds whole and the other in pieces, among those that have no equal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from parity.pair.weightmap.pairing.names import pattern, stacking_order
from parity.pair.weightmap.pairing.pairings import LayerPairing
from parity.pair.weightmap.pairing.pieces import Entry, Split, fitting_axis, pair_pieces
from parity.pair.weightmap.pairing.sequences import aligned_windows
from parity.pair.weightmap.pairing.signatures import Shape, ShapedUnit, sizes

KINDS = frozenset({"dense", "embedding", "conv", "custom"})
"""Kinds of units whose arrays may be pieces; recurrent layers have packings of their own."""
MOST_EXCHANGED = 3
"""So many equal arrays of one module are tried in every order."""


@dataclass
class Surplus:
    """How many arrays of each size, trained ones and tables, one side has more of than the other."""

    counts: Counter[tuple[Shape, bool]]

    def covers(self, entries: Iterable[Entry]) -> bool:
        """Whether there are all of these arrays more than the other side has."""
        wanted = _counted(entries)
        return all(self.counts[size] >= count for size, count in wanted.items())

    def is_any(self) -> bool:
        """Whether there is any array more than the other side has."""
        return any(count > 0 for count in self.counts.values())

    def use(self, entries: Iterable[Entry]) -> None:
        """Count these arrays as paired."""
        self.counts.subtract(_counted(entries))


def _counted(entries: Iterable[Entry]) -> Counter[tuple[Shape, bool]]:
    return Counter((sizes(entry.shape), entry.is_table) for entry in entries)


def split_arrays(
    flax: list[ShapedUnit], torch: list[ShapedUnit], *, crossed: bool = False, alike: bool = True
) -> list[LayerPairing]:
    """The pairings of arrays that one side holds whole and the other in pieces, with the other readings of each.

    Args:
        flax, torch: The units of both sides, in the order in which they run.
        crossed: Whether arrays that have an equal on the other side may be whole or pieces too, if they run one after
            the other: each side may have packed another layer.
        alike: Whether trained arrays are pieces of trained ones only, and tables of tables.
    """
    if not alike:
        flax, torch = ([replace(unit, tables=frozenset()) for unit in side] for side in (flax, torch))
    entries = _entries(flax), _entries(torch)
    counts = [_counted(side) for side in entries]
    surplus = Surplus(counts[0] - counts[1]), Surplus(counts[1] - counts[0])
    if crossed:
        surplus = Surplus(counts[0]), Surplus(counts[1])
    layers: list[LayerPairing] = []
    for whole, wholes, parts in (("torch", 1, 0), ("flax", 0, 1)):
        finder = _Finder(entries[wholes], entries[parts], surplus[wholes], surplus[parts])
        for cluster in finder.clusters(crossed=crossed):
            layers += pair_pieces(cluster, whole, _group(cluster))
    return layers


def without_arrays(units: list[ShapedUnit], layers: Sequence[LayerPairing], side: str) -> list[ShapedUnit]:
    """The units of one side without the arrays that these pairings hold."""
    held = {(getattr(layer, side).path, role) for layer in layers for role in getattr(layer, side).arrays}
    rest = []
    for unit in units:
        roles = [role for role in unit.shapes if (unit.unit.path, role) not in held]
        if len(roles) == len(unit.shapes):
            rest.append(unit)
        elif roles:
            rest.append(unit.among(roles))
    return rest


def _entries(units: list[ShapedUnit]) -> list[Entry]:
    return [Entry(unit, role) for unit in units if unit.unit.kind in KINDS for role in unit.shapes]


def _group(cluster: Sequence[Split]) -> str:
    """What is read alike: the same modules of every block."""
    first = cluster[0]
    parents = dict.fromkeys(part.unit.unit.path.rpartition(".")[0] for split in cluster for part in split.parts)
    return pattern(" ".join([first.whole.unit.unit.path, *parents]))


class _Finder:
    """Finds splits of one side's arrays into the other's.

    Args:
        wholes, parts: The arrays of the side that may hold them whole, and of the other.
        surplus_wholes, surplus_parts: How many more of each size each side has.
    """

    def __init__(
        self, wholes: list[Entry], parts: list[Entry], surplus_wholes: Surplus, surplus_parts: Surplus
    ) -> None:
        self._wholes, self._parts = wholes, parts
        self._surplus_wholes, self._surplus_parts = surplus_wholes, surplus_parts
        self._used: set[tuple[str, str]] = set()

    def clusters(self, *, crossed: bool) -> Iterator[list[Split]]:
        """Splits, those of equal arrays of one module together.

        Args:
            crossed: Whether only what runs one after the other may be pieces, of either side; see `split_arrays`.
        """
        if not (self._surplus_parts.is_any() and self._surplus_wholes.is_any()):
            return
        if not crossed:
            yield from _clustered(list(self._take(self._of_lists())))
        siblings = list(self._take(self._of_siblings(crossed)))
        for split in siblings:
            yield [split]
        for split in self._take(self._beside(siblings)):
            yield [split]

    def _take(self, splits: Iterator[Split]) -> Iterator[Split]:
        """Those of the splits whose arrays are free and in surplus on both sides."""
        for split in splits:
            held = {split.whole.place, *(part.place for part in split.parts)}
            free = not (held & self._used) and {part.is_table for part in split.parts} == {split.whole.is_table}
            if free and self._surplus_wholes.covers([split.whole]) and self._surplus_parts.covers(split.parts):
                self._surplus_wholes.use([split.whole])
                self._surplus_parts.use(split.parts)
                self._used |= held
                yield split

    def _of_lists(self) -> Iterator[Split]:
        """Arrays whose parts are those of the items of a list, such as experts, or have names that count them."""
        groups = list(_numbered(self._parts))
        for whole in self._wholes:
            for group in groups:
                axis = fitting_axis(whole, group)
                if axis is not None and self._is_within_block(whole, group):
                    yield Split(whole, tuple(group), axis)

    def _is_within_block(self, whole: Entry, group: Sequence[Entry]) -> bool:
        """Whether the arrays of a list run as near to each other as they must if every module that holds such a whole
        array has a list of its own: a layer of every block is no list of one block."""
        modules = {entry.unit.unit.path for entry in self._wholes if entry.shape == whole.shape}
        alike = [entry.place for entry in self._parts if sizes(entry.shape) == sizes(group[0].shape)]
        places = [alike.index(entry.place) for entry in group if entry.place in alike]
        return (max(places) - min(places) + 1) * len(modules) <= len(alike)

    def _of_siblings(self, crossed: bool) -> Iterator[Split]:
        """Arrays whose parts run one after the other in one module, such as queries, keys and values."""
        wholes = [entry for entry in self._wholes if _is_telling(entry)]
        parts = [entry for entry in self._parts if _is_telling(entry) and entry.place not in self._used]
        for whole, window in aligned_windows(wholes, parts, _siblings, crossed=crossed):
            ordered = _stacked(window)
            if (axis := fitting_axis(whole, ordered)) is not None:
                yield Split(whole, ordered, axis)

    def _beside(self, splits: Sequence[Split]) -> Iterator[Split]:
        """The other arrays of the modules of splits, such as biases beside kernels."""
        for split in splits:
            paths = [part.unit.unit.path for part in split.parts]
            for whole in (entry for entry in self._wholes if entry.unit.unit.path == split.whole.unit.unit.path):
                for role in dict.fromkeys(entry.role for entry in self._parts if entry.unit.unit.path in paths):
                    held = {entry.unit.unit.path: entry for entry in self._parts if entry.role == role}
                    parts = [held[path] for path in paths if path in held]
                    if len(parts) == len(set(paths)) and (axis := fitting_axis(whole, parts)) is not None:
                        yield Split(whole, tuple(parts), axis)


def _numbered(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Arrays whose paths or roles differ in one number alone, in its order; the innermost numbers first."""
    groups: dict[tuple[int, str, str], dict[int, Entry]] = {}
    for entry in entries:
        path, role = entry.place
        name = f"{path}.{role}" if entry.unit.is_custom else path
        for inner, (before, number, after) in enumerate(_numbers(name)):
            key = (inner, f"{before}#{after}", f"{entry.unit.unit.kind} {'' if entry.unit.is_custom else role}")
            groups.setdefault(key, {})[number] = entry
    for _, numbered in sorted(groups.items(), key=lambda group: group[0][0]):
        if len(numbered) > 1:
            yield [numbered[number] for number in sorted(numbered)]


def _numbers(name: str) -> Iterator[tuple[str, int, str]]:
    """Each number in a name with what is before and after it, the last first."""
    pieces = [piece for piece in _digits_apart(name) if piece]
    for place in reversed(range(len(pieces))):
        if pieces[place].isdigit():
            yield "".join(pieces[:place]), int(pieces[place]), "".join(pieces[place + 1 :])


def _digits_apart(name: str) -> list[str]:
    edges = [0, *(i for i, (a, b) in enumerate(pairwise(name), 1) if a.isdigit() != b.isdigit()), len(name)]
    return [name[start:stop] for start, stop in pairwise(edges)]


def _is_telling(entry: Entry) -> bool:
    """Whether an array may be taken for pieces by its shape: a matrix, or a vector that a module of the user's holds
    itself. A bias goes where its kernel goes."""
    axes = len(sizes(entry.shape))
    return axes > 1 or (axes == 1 and entry.unit.is_custom)


def _siblings(window: Sequence[Entry]) -> bool:
    """Whether arrays are those of one module, or of modules beside each other, under one role: their paths differ in
    one name, such as "attention.query" and "attention.key", or "filters.0" and "gates.0". No vector is beside a matrix.
    """
    if len({(entry.unit.unit.kind, len(sizes(entry.shape))) for entry in window}) > 1:
        return False
    paths = [entry.unit.unit.path for entry in window]
    if len(set(paths)) == 1:
        return window[0].unit.is_custom
    names = [path.split("/" if "/" in path else ".") for path in paths]
    odd = [column for column in zip(*names, strict=False) if len(set(column)) > 1]
    beside = len({len(name) for name in names}) == 1 and len(odd) == 1
    return beside and len(set(paths)) == len(paths) and len({entry.role for entry in window}) == 1


def _stacked(window: Sequence[Entry]) -> tuple[Entry, ...]:
    """The arrays in the order in which the field stacks them."""
    single = len({entry.unit.unit.path for entry in window}) == 1
    names = [entry.role if single else entry.unit.unit.path for entry in window]
    return tuple(window[place] for place in stacking_order(names))


def _clustered(splits: Sequence[Split]) -> Iterator[list[Split]]:
    """The splits, those of equal arrays of one module into equal parts together if they are few."""
    clusters: dict[object, list[Split]] = {}
    for split in splits:
        key = split.whole.unit.unit.path, split.whole.shape, tuple(part.shape for part in split.parts)
        clusters.setdefault(key, []).append(split)
    for cluster in clusters.values():
        yield from [cluster] if len(cluster) <= MOST_EXCHANGED else [[split] for split in cluster]
