"""How alike the names of two layers or of two arrays are."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from parity.pair.weightmap.pairing.signatures import ShapedUnit

SYNONYMS = [{word, "weight"} for word in ("kernel", "scale", "table", "gamma")] + [{"bias", "beta"}, {"bias", "b"}]
"""Names that both frameworks' users have for one array."""
EQUAL, SYNONYMOUS, ENDING_ALIKE = 3.0, 2.0, 1.0
"""Likeness of equal roles, of synonyms, and of those whose last words are; that of other roles is at most one."""
FILLERS = frozenset({"proj", "projection", "linear", "dense", "layer", "to", "w", "weight", "kernel", "c"})
"""Words that say nothing of which layer it is, where another word beside them does."""
ONE_WORD = {
    "query": "q", "key": "k", "value": "v", "wq": "q", "wk": "k", "wv": "v", "wo": "out", "o": "out", "output": "out",
    "norm": "ln", "layernorm": "ln", "batchnorm": "bn", "embedding": "embed", "embeddings": "embed",
    "conv": "conv", "gate": "gate", "up": "up",
}  # fmt: skip
"""Words that the field has for one thing → one of them."""
ORDERS = (("q", "k", "v"), ("gate", "up"), ("i", "f", "g", "o"))
"""The order in which projections of these names are stacked in one array, whatever the order in which they run."""


def unit_likeness(flax: ShapedUnit, torch: ShapedUnit) -> float:
    """How alike the paths and roles of two units are, from 0 to 1, letters and digits alone."""
    names = (f"{unit.unit.path}{''.join(unit.shapes)}".lower() for unit in (flax, torch))
    first, second = ("".join(filter(str.isalnum, name)) for name in names)
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def role_likeness(role: str, other: str) -> float:
    """How alike two names of arrays are; the field's names for one thing count as nearly one name."""
    if role == other:
        return EQUAL
    if {role, other} in SYNONYMS:
        return SYNONYMOUS
    last, other_last = (re.split(r"[._]", name)[-1] for name in (role, other))
    ratio = SequenceMatcher(None, role, other).ratio()
    return ENDING_ALIKE + ratio / 2 if last == other_last or {last, other_last} in SYNONYMS else ratio


def tokens(path: str) -> list[str]:
    """The words and numbers of a path, the last component's first; synonyms are one word.

    "layers_1/attn/query" and "layers.1.attn.q_proj" have the same tokens: q, attn, layers, 1.
    """
    parts = re.findall(r"[^./\[\]]+", path)
    return [token for part in reversed(parts) for token in _component(part)]


def _component(part: str) -> list[str]:
    """The words of one component without fillers, as one token, then its number if it ends with one."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", part)
    named = [word.lower() for word in words if not word.isdigit()]
    telling = [word for word in named if word not in FILLERS] or named
    number = [words[-1]] if words and words[-1].isdigit() else []
    text = "_".join(ONE_WORD.get(word, word) for word in telling)
    return [*([ONE_WORD.get(text, text)] if text else []), *number]


def telling_words(path: str) -> tuple[str, ...]:
    """The words and numbers of a path that say which layer it is; all of them where none is a word."""
    words = tokens(path)
    telling = tuple(word for word in words if word not in FILLERS)
    return telling if not all(map(str.isdigit, telling)) else tuple(words)


def stacking_order(paths: list[str]) -> list[int]:
    """The places of some projections in the order in which they are stacked in one array: that of their names where
    the field has one, else as they are given."""
    words = [next(iter(tokens(path)), "") for path in paths]
    for order in ORDERS:
        known = [next((place for place, name in enumerate(order) if word.startswith(name)), -1) for word in words]
        if -1 not in known and len(set(known)) == len(known):
            return sorted(range(len(paths)), key=lambda place: known[place])
    return list(range(len(paths)))


def are_of_one_order(paths: Sequence[str]) -> bool:
    """Whether these are all the names of one order that the field stacks, such as queries, keys and values."""
    words = sorted(next(iter(tokens(path)), "") for path in paths)
    return any(words == sorted(order) for order in ORDERS)


def pattern(path: str) -> str:
    """The path with every number in it as "#": alike for the same layer of every block."""
    return re.sub(r"\d+", "#", path)
