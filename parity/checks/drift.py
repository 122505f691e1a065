"""A second opinion on what differs: each framework's own drift when its start is moved by one ulp.

The error of float32 tells nothing of a gradient that rounding decides: one that is zero but for rounding may be exactly
zero in float32 by luck, and a max-pool with two all but equal numbers in a window gives the gradient to either. There
the drift is as large as the gap, and the gap says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import RATIO
from parity.checks.verdict import Finding, Verdict

STARTS = 3
"""So many times is the start moved: one drift may be zero by luck."""
UNDETERMINED = "rounding decides it at these numbers: a start moved by one ulp changes as much; give other inputs"

T = TypeVar("T")


def as_float32(seen: T, moved: Sequence[T]) -> T:
    """The same with every floating array off by its drift, times 2²⁹: as float32 would have it if it rounded so.

    Args:
        seen: arrays in dataclasses, dicts and tuples.
        moved: the same from the moved starts.
    """
    return _walk(seen, moved)


def _walk(seen: Any, moved: Sequence[Any]) -> Any:
    if isinstance(seen, np.ndarray):
        return _off(seen, moved) if np.issubdtype(seen.dtype, np.floating) else seen
    if is_dataclass(seen) and not isinstance(seen, type):
        names = [field.name for field in fields(seen)]
        return replace(seen, **{n: _walk(getattr(seen, n), [getattr(m, n) for m in moved]) for n in names})
    if isinstance(seen, Mapping):
        return {key: _walk(value, [m[key] for m in moved]) for key, value in seen.items()}
    if isinstance(seen, tuple):
        return tuple(_walk(value, others) for value, *others in zip(seen, *moved, strict=True))
    return seen


def _off(seen: NDArray, moved: Sequence[NDArray]) -> NDArray:
    with np.errstate(over="ignore", invalid="ignore"):
        drift = np.maximum.reduce([np.abs(array - seen) for array in moved])
        return np.asarray(seen + drift / RATIO)


def settled(findings: Sequence[Finding], drifts: Sequence[Finding]) -> list[Finding]:
    """The findings; those that differ by no more than the drift explains are inconclusive.

    Args:
        findings: the findings that were made with float32's own arrays.
        drifts: the same quantities with `as_float32`'s arrays in the place of float32's.
    """
    explained = {_key(finding) for finding in drifts if finding.verdict.passes}
    return [
        replace(finding, verdict=Verdict.INCONCLUSIVE, reason=UNDETERMINED)
        if finding.verdict is Verdict.DIFFERENT and _key(finding) in explained
        else finding
        for finding in findings
    ]


def _key(finding: Finding) -> tuple[str, str, str, bool]:
    return finding.quantity, finding.name, finding.mode, finding.isolated
