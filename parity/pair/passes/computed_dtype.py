"""Finds what one side computes in a narrower dtype: the same formula, but not the same network in float32."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Cast
from parity.interface.side import FRAMEWORKS
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.compared import COMPUTED, Compared

ROUNDING = {"bfloat16": 2.0**-7, "float16": 2.0**-10}
"""Name of a narrower dtype → the step from 1 to its next number."""
SMALLER = 32
"""How many times smaller than the rounding of a narrower dtype the error of a result may be that it makes."""


def with_computed_dtype(
    compared: Compared, passes: BothSides, stored: Mapping[str, Collection[str]], mode: str
) -> tuple[Finding, ...]:
    """The findings on the results of a mode, and one more where a side's own casts make its float32 results worse.

    A float32 error that comes from the device or from the order of a sum is no difference of the networks. One that
    comes from a cast to bfloat16 or float16, which is written in one of the networks, is one, unless the other network
    keeps its arrays in that dtype, and so computes in it too where its user runs it.

    Args:
        compared: What both sides showed in that mode.
        passes: The passes of both sides in that mode.
        stored: The names of the dtypes in which each side keeps its arrays.
        mode: "evaluation" or "training".
    """
    seen = {"flax": passes.flax["float64"].undone, "torch": passes.torch["float64"].undone}
    others = {"flax": stored["torch"], "torch": stored["flax"]}
    casts = {side: [cast for cast in undone if cast.dtype not in others[side]] for side, undone in seen.items()}
    less = [finding for finding in compared.results if finding.verdict is Verdict.LESS_ACCURATE]
    if {cast.dtype for cast in casts["flax"]} == {cast.dtype for cast in casts["torch"]}:
        less = [finding for finding in less if _is_of_casts(finding, casts[_worse(finding)])]
    worse = {_worse(finding) for finding in less}
    return (*compared.results, *_computed(worse, casts, _place(compared), mode))


def _computed(worse: set[str], casts: Mapping[str, Sequence[Cast]], place: str, mode: str) -> Iterator[Finding]:
    for side, other in (("flax", "torch"), ("torch", "flax")):
        if side in worse and casts[side]:
            words = f"same formula, computed in {_listed(casts[side])} in {FRAMEWORKS[side]}"
            words += f", in {_listed(casts[other])} in {FRAMEWORKS[other]}" if casts[other] else " only"
            yield Finding(COMPUTED, place, Verdict.DIFFERENT, np.inf, reason=words, mode=mode)


def _is_of_casts(finding: Finding, casts: Sequence[Cast]) -> bool:
    """Whether a float32 error is as large as that of a dtype that both sides cast to: a smaller one is float32's own,
    which a norm of nearly equal numbers makes larger."""
    eps = min((ROUNDING.get(cast.dtype, 0.0) for cast in casts), default=0.0)
    return max(finding.errors.values()) * SMALLER >= eps


def _worse(finding: Finding) -> str:
    """The side whose float32 error is the larger one."""
    return max(finding.errors, key=lambda side: finding.errors[side])


def _place(compared: Compared) -> str:
    """The name of PyTorch's first call that is less accurate, "network" if none was compared by itself."""
    named = (layer.torch for layer in compared.layers if layer.finding.verdict is Verdict.LESS_ACCURATE)
    return next(named, "") or "network"


def _listed(casts: Sequence[Cast]) -> str:
    places: dict[str, list[str]] = {}
    for cast in casts:
        places.setdefault(cast.dtype, []).append(cast.place)
    return " and ".join(f"{dtype} at {', '.join(dict.fromkeys(lines))}" for dtype, lines in places.items())
