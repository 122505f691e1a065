"""How alike the names of two layers or of two arrays are."""

from difflib import SequenceMatcher

from parity.pair.weightmap.signatures import ShapedUnit

SYNONYMS = [{word, "weight"} for word in ("kernel", "scale", "table", "gamma")] + [{"bias", "beta"}, {"bias", "b"}]
"""Names that both frameworks' users have for one array."""
EQUAL, SYNONYMOUS = 3.0, 2.0
"""Likeness of equal roles and of synonyms; that of other roles is at most one."""


def unit_likeness(flax: ShapedUnit, torch: ShapedUnit) -> float:
    """How alike the paths and roles of two units are, from 0 to 1, letters and digits alone."""
    names = (f"{unit.unit.path}{''.join(unit.shapes)}".lower() for unit in (flax, torch))
    first, second = ("".join(filter(str.isalnum, name)) for name in names)
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def role_likeness(role: str, other: str) -> float:
    """How alike two names of arrays are; the field's names for one thing count as nearly one name."""
    if role == other:
        return EQUAL
    return SYNONYMOUS if {role, other} in SYNONYMS else SequenceMatcher(None, role, other).ratio()
