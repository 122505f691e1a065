"""A kind of bug: a change of one block's settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Mutation:
    """A kind of bug.

    Args:
        name: name of the kind.
        row: number of its row in docs/porting-bugs.md; "" where no row is about it.
        kinds: kinds of the blocks that can have it.
        side: framework whose builder reads the changed setting; "" for either.
        change: function from a block's settings to the changed ones; it gives None where the bug would change nothing.
    """

    name: str
    row: str
    kinds: tuple[str, ...]
    side: Literal["", "flax", "torch"]
    change: Callable[[Settings], Settings | None]


def other(**new: Any) -> Callable[[Settings], Settings | None]:
    """A change to these settings, unless the block has them already."""
    return lambda s: new if any(s.get(name) != value for name, value in new.items()) else None


def epsilon(value: float) -> Callable[[Settings], Settings | None]:
    """A change of the epsilon of a norm over several numbers: one alone becomes zero whatever the epsilon is."""

    def change(s: Settings) -> Settings | None:
        numbers = s["features"] // s["groups"] * s["places"] if "groups" in s else s["features"]
        return {"eps": value} if numbers > 1 and s["eps"] != value else None

    return change
