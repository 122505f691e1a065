"""Which leaf of what Flax's network returns belongs to which of PyTorch's: the results are compared as trees."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.interface.observation import Leaf, Returned

STEP = re.compile(r"\.(\w+)|\[((?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\]])*)\]")
"""One step of a leaf's name: ".field", "['key']" or "[0]"."""
Key = str | int
Named = Sequence[tuple[tuple[Key, ...], str]]
"""Paths of leaves below a node, each with the whole name of its leaf."""
Names = tuple[list[str], list[str]]


@dataclass(frozen=True)
class ResultPairs:
    """What both networks return in one mode.

    Args:
        flax, torch: what each returns.
        pairs: names of the leaves that are compared, Flax's and PyTorch's.
        lone_flax, lone_torch: names of the leaves without a partner.
        renamed: whether leaves are paired by their order as no key is common.
    """

    flax: Returned
    torch: Returned
    pairs: tuple[tuple[str, str], ...]
    lone_flax: tuple[str, ...] = ()
    lone_torch: tuple[str, ...] = ()
    renamed: bool = False

    @property
    def floating(self) -> Names:
        """Names of the pairs of floating leaves, Flax's and PyTorch's."""
        return self._where(lambda a, b: a.kind == b.kind == "floating")

    @property
    def exact(self) -> Names:
        """Names of the pairs that are compared exactly: whole numbers and truth values."""
        return self._where(lambda a, b: not a.kind == b.kind == "floating")

    @property
    def other_kinds(self) -> list[tuple[str, str]]:
        """Names of the pairs that hold numbers of unlike kinds."""
        return [(a, b) for a, b in self.pairs if self.flax.leaves[a].kind != self.torch.leaves[b].kind]

    @property
    def others(self) -> list[str]:
        """What is said of the leaves that are no arrays."""
        sides = {"Flax": self.flax, "PyTorch": self.torch}
        every = [(side, name, leaf) for side, by in sides.items() for name, leaf in by.leaves.items()]
        return [
            f"{side}'s result {name or 'itself'} is a {leaf.type}: not compared"
            for side, name, leaf in every
            if leaf.kind == "other"
        ]

    @property
    def noisy(self) -> bool:
        """Whether a side is random, so that there is nothing to compare."""
        return self.flax.noisy or self.torch.noisy

    def _where(self, fits: Callable[[Leaf, Leaf], bool]) -> Names:
        pairs = [(a, b) for a, b in self.pairs if fits(self.flax.leaves[a], self.torch.leaves[b])]
        return [a for a, _ in pairs], [b for _, b in pairs]


def pair_results(flax: Returned, torch: Returned) -> ResultPairs:
    """Pair the leaves of two results: by key where both have keys, whatever their order; else by order.

    A key of a dict and a field of a dataclass or a named tuple are alike. What is no array is left out.
    """
    ours, theirs = _named(flax.leaves), _named(torch.leaves)
    pairs = _paired(ours, theirs, flax.leaves, torch.leaves)
    renamed = not pairs and 0 < len(ours) == len(theirs)
    if renamed:
        pairs = [(a, b) for (_, a), (_, b) in zip(ours, theirs, strict=True)]
    order = {name: place for place, (_, name) in enumerate(theirs)}
    pairs.sort(key=lambda pair: order[pair[1]])
    taken = {a for a, _ in pairs}, {b for _, b in pairs}
    return ResultPairs(
        flax,
        torch,
        tuple(pairs),
        tuple(name for _, name in ours if name not in taken[0]),
        tuple(name for _, name in theirs if name not in taken[1]),
        renamed,
    )


def steps(name: str) -> tuple[Key, ...]:
    """The keys of a leaf's name: ("a", 1) of "['a'][1]" and of ".a[1]"."""
    return tuple(field or _literal(key) for field, key in STEP.findall(name))


def _literal(text: str) -> Key:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, str | int) else text


def _named(leaves: Mapping[str, Leaf]) -> Named:
    return [(steps(name), name) for name, leaf in leaves.items() if leaf.kind != "other"]


def _paired(ours: Named, theirs: Named, flax: Mapping[str, Leaf], torch: Mapping[str, Leaf]) -> list[tuple[str, str]]:
    """The pairs below two nodes of the trees."""
    if not ours or not theirs:
        return []
    if _is_leaf(ours) or _is_leaf(theirs):
        return [_fitting(ours, theirs, flax, torch)]
    children = _children(ours), _children(theirs)
    keyed = children[0].keys() == children[1].keys() or all(isinstance(key, str) for by in children for key in by)
    if (
        not keyed
        and len(ours) == len(theirs)
        and list(map(len, children[0].values())) != list(map(len, children[1].values()))
    ):
        return [(a, b) for (_, a), (_, b) in zip(ours, theirs, strict=True)]
    pairs: Any = ((key, key) for key in children[0] if key in children[1]) if keyed else zip(*children, strict=False)
    return [pair for a, b in pairs for pair in _paired(children[0][a], children[1][b], flax, torch)]


def _is_leaf(named: Named) -> bool:
    return not named[0][0]


def _fitting(ours: Named, theirs: Named, flax: Mapping[str, Leaf], torch: Mapping[str, Leaf]) -> tuple[str, str]:
    """A lone array and the first of several that is of its kind and shape, else the first of all."""
    every = [(a, b) for _, a in ours for _, b in theirs]
    alike = [(a, b) for a, b in every if flax[a].kind == torch[b].kind]
    same = [(a, b) for a, b in alike if sorted(flax[a].shape) == sorted(torch[b].shape)]
    return [*same, *alike, *every][0]


def _children(named: Named) -> dict[Key, Named]:
    children: dict[Key, list[tuple[tuple[Key, ...], str]]] = {}
    for path, name in named:
        children.setdefault(path[0], []).append((path[1:], name))
    return dict(children)
