"""What is called as checks go on, so that a person can be shown where they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from parity.checks.verdict import Rung


def silent(*words: Any) -> None:
    """Show nothing."""
    del words


@dataclass(frozen=True)
class Listener:
    """What is called as checks go on; "name" is the pair's or the recipe's.

    Args:
        note: called with "name: what is done now".
        running: called with the name and with what a framework, or the user's code, computes now, a noun phrase.
        ruled: called with the name and all rungs that were ruled so far.
        ended: called with the name and all rungs, once the check has come to its end.
    """

    note: Callable[[str], None] = silent
    running: Callable[[str, str], None] = silent
    ruled: Callable[[str, Sequence[Rung]], None] = silent
    ended: Callable[[str, Sequence[Rung]], None] = silent
