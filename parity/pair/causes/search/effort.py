"""How much a search for causes may compute; after that, the place of a difference is told without a cause."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from parity.pair.causes.search.piece import Half

MOST = 6 * 10**10
"""Numbers that the hypotheses of one difference may compute: about a minute. It counts work and not time, so that the
same cause is found on any machine."""
OPERATION = 20_000
"""Numbers that are computed in the time that it takes to begin an operation."""


@dataclass
class _Effort:
    """What has been computed."""

    spent: float = 0.0


_EFFORT: ContextVar[_Effort | None] = ContextVar("effort", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """Hypotheses are tried within these lines as long as there is work left for them."""
    token = _EFFORT.set(_Effort())
    try:
        yield
    finally:
        _EFFORT.reset(token)


def cost_of(half: Half) -> float:
    """The numbers that one hypothesis on a side of a piece computes, at most."""
    return len(half.numbers) * OPERATION + half.size


def spend(cost: float) -> bool:
    """Whether there is work left, of which this much is taken."""
    effort = _EFFORT.get()
    if effort is None:
        return True
    effort.spent += cost
    return effort.spent <= MOST
