"""The brought pairs with nothing planted: if one were called different, every bug in it would count as caught."""

from collections.abc import Sequence

from parity.bugs.catalogue.bug import Bug, control


def sound(bugs: Sequence[Bug]) -> tuple[Bug, ...]:
    """One control for each brought pair in which there are bugs, in their order."""
    pairs = dict.fromkeys(bug.pair for bug in bugs if bug.plant)
    return tuple(control(_id(pair), "nothing is planted", "torch", pair, "") for pair in pairs)


def _id(pair: str) -> str:
    return "sound-" + pair.replace(",", "").replace(" ", "-")
