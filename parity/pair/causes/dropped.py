"""What each side drops in training, which nothing that is compared shows as long as dropout is off."""

from collections.abc import Iterator, Sequence
from math import isclose, prod

import numpy as np

from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Dropped
from parity.pair.arrays.layout import spread
from parity.pair.causes.explained import DROPPED
from parity.pair.passes.check_state import CheckState

SAME_RATE = 1e-5
"""How near two rates are that are one, which float32 may have rounded."""


def dropped(state: CheckState) -> list[Finding]:
    """A finding for each use of dropout whose rate is another on the other side, or whose mask drops whole channels on
    one side alone. Nothing where the sides use it unlike often, for some uses cannot be seen, or where masks are
    shared: there the results tell."""
    passes = state.passes.get("training")
    if passes is None or state.shared:
        return []
    ours, theirs = passes.flax["float64"].dropouts, passes.torch["float64"].dropouts
    if len(ours) != len(theirs):
        return []
    words = [*_rates(ours, theirs), *_masks(ours, theirs)]
    return [Finding(DROPPED, "network", Verdict.DIFFERENT, np.inf, reason=text, mode="training") for text in words]


def _rates(ours: Sequence[Dropped], theirs: Sequence[Dropped]) -> Iterator[str]:
    """The rates that differ, unless both sides have the same ones in another order."""
    pairs = list(zip(sorted(use.rate for use in ours), sorted(use.rate for use in theirs), strict=True))
    if all(isclose(a, b, rel_tol=SAME_RATE) for a, b in pairs):
        return
    for place, (a, b) in enumerate(zip(ours, theirs, strict=True), start=1):
        if not isclose(a.rate, b.rate, rel_tol=SAME_RATE):
            yield f"dropout {place} has the rate {a.rate:g} in Flax, {b.rate:g} in PyTorch"


def _masks(ours: Sequence[Dropped], theirs: Sequence[Dropped]) -> Iterator[str]:
    """The masks of which one side's drops whole axes and the other's single numbers."""
    for place, (a, b) in enumerate(zip(ours, theirs, strict=True), start=1):
        whole = [shape for shape in (a.shape, b.shape) if 1 in shape]
        unlike = len(a.shape) == len(b.shape) and prod(a.shape) != prod(b.shape)
        if unlike and len(whole) == 1 and not spread(a.shape, b.shape):
            yield f"dropout {place} draws a mask of {a.shape} in Flax, of {b.shape} in PyTorch"
