"""The referee: tells a different formula from rounding, with one threshold for every layer, model and depth.

Both twins run in float64 and in float32 from the same numbers. If they compute the same function, their gap in
float64 is rounding, and rounding and conditioning act alike in both precisions: the gap is about eps64/eps32 = 2⁻²⁹
of the larger float32 error. A different formula leaves a gap about as large in float64 as in float32.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import SHAPES, Finding, Verdict

RATIO = float(np.finfo(np.float64).eps / np.finfo(np.float32).eps)
"""Rounding in float64 over rounding in float32, 2⁻²⁹: a property of the two formats, not a choice."""

MARGIN = 2.0**10
"""The only threshold: how many times the rounding of one correct implementation another one's may be.

Two correct implementations round differently by a small factor; a wrong formula is off by what float32 could see or
nearly so, 2²⁹ times more. Set between the two measured distributions (benchmarks/records/2026-11-28-evidence and
benchmarks/records/2026-11-30-evidence, drawn in docs/evidence.md): it is 6 times above the largest gap of 2,764 correct
pairs (the twins of the study's networks, and random networks; 99 % of them stay below 10), and 62 times below the
smallest that one of 2,332 pairs with a bug is told by: an epsilon in a network that rounds to bfloat16. It is nearer to
the correct pairs, for a miss is worse than an alarm. What is zero in theory has no part in this: see `only_rounding`
and `parity.checks.drift`.
"""

REDUCED = 2.0**6.5
"""From where on one framework is less accurate than the other: the middle, in powers of two, between rounding like the
other and rounding as TF32 does, the mildest of the reduced precisions, whose eps is 2¹³ times float32's. It decides
between two ways of saying *same*, never between same and different."""

FEWEST = 5
"""Fewer numbers may all be right by luck: a share of 2⁻⁶·⁵ each, so five of them once in 2³² times."""

STORED = float(np.finfo(np.float32).eps) / 4
"""Relative error of merely storing a number in float32, in the mean: no float32 error is taken to be smaller than this.
A single number may be right by luck; its luck says nothing of the rounding to expect."""


SMALLEST = float(np.finfo(np.float64).smallest_subnormal)
"""The last bit of the smallest numbers: no rounding is expected to be smaller."""


@dataclass(frozen=True)
class HighLow:
    """One framework's array in float32 and in float64. A reference has no float32 array."""

    high: NDArray
    low: NDArray | None = None


def rule(quantity: str, name: str, values: Mapping[str, HighLow], *, smooth: bool = True, mode: str = "") -> Finding:
    """Rule on one array of the twins (those with a float32 array) and, if there is one, of the reference.

    Args:
        quantity, name, mode: what it is, for the report.
        values: framework → its arrays, all of one shape; a complex number is two.
        smooth: whether the quantity is a continuous function of the input. Where it is not (gradients behind a ReLU or
            a max-pool), float32 may fall on the other side of a kink by rounding, and its error says nothing of the
            accuracy of the framework.
    """
    values = {framework: _parts(pair) for framework, pair in values.items()}
    if (odd := _incomparable(values)) is not None:
        return Finding(quantity, name, odd[0], share=np.inf, reason=odd[1], mode=mode)
    twins = {framework: pair for framework, pair in values.items() if pair.low is not None}
    errors = {framework: _norm(_difference(pair.low, pair.high)) for framework, pair in twins.items()}
    size = max(_norm(pair.high) for pair in values.values())
    noise = max(RATIO * max([*errors.values(), STORED * size]), SMALLEST)
    finding = _compare(quantity, name, {f: pair.high for f, pair in values.items()}, noise, mode)
    bits = {framework: _bits(error, size) for framework, error in errors.items()}
    verdict, reason = finding.verdict, ""
    if verdict is Verdict.DIFFERENT and (cast := _cast_to_single(twins, noise / RATIO)):
        verdict, reason = Verdict.INCONCLUSIVE, f"{cast} computes this in float32 even in float64: nothing to rule on"
    elif (
        verdict is Verdict.SAME
        and smooth
        and (lazy := _less_accurate(errors, size, noise, next(iter(twins.values())).high.size))
    ):
        verdict, reason = Verdict.LESS_ACCURATE, f"{lazy} keeps {bits[lazy]:.0f} bits of 24"
    relative = {framework: error / size if size else 0.0 for framework, error in errors.items()}
    gap = finding.gap / size if size else finding.gap
    return replace(finding, verdict=verdict, bits=bits, reason=reason or finding.reason, gap=gap, errors=relative)


def rule_drift(
    quantity: str,
    name: str,
    values: Mapping[str, NDArray],
    from_moved: Mapping[str, NDArray],
    *,
    still: Mapping[str, NDArray] | None = None,
    mode: str = "",
) -> Finding:
    """Rule on arrays at the end of a run, against each framework's own drift when its start is moved by one ulp.

    Args:
        quantity, name, mode: what it is, for the report.
        values: framework → float64 array.
        from_moved: framework → the same from the moved start.
        still: framework → the same from the start that was moved; None where those are the values.
    """
    values, from_moved = ({f: _reals(array) for f, array in by.items()} for by in (values, from_moved))
    still = None if still is None else {framework: _reals(array) for framework, array in still.items()}
    pairs = {framework: HighLow(array) for framework, array in values.items()}
    if (odd := _incomparable(pairs)) is not None:
        return Finding(quantity, name, odd[0], share=np.inf, reason=odd[1], mode=mode)
    starts = values if still is None else still
    drifts = [
        _norm(_difference(from_moved[framework], array))
        for framework, array in starts.items()
        if framework in from_moved
    ]
    size = max(_norm(array) for array in values.values())
    finding = _compare(quantity, name, values, max([*drifts, RATIO * STORED * size, SMALLEST]), mode)
    return replace(finding, gap=finding.gap / size if size else finding.gap)


NUDGE = MARGIN * float(np.finfo(np.float64).eps)
"""Relative size by which a start is moved to see which decisions hang on rounding: as much as passes for it."""


def rule_exact(
    quantity: str,
    name: str,
    values: Mapping[str, NDArray],
    *,
    moved: Mapping[str, Sequence[NDArray]] | None = None,
    tied: NDArray | None = None,
    mode: str = "",
) -> Finding:
    """Rule on whole numbers or truth values, which are equal or not; share and gap are those of the places that differ.

    Args:
        quantity, name, mode: what it is, for the report.
        values: framework → its array from the float64 pass, all of one shape.
        moved: framework → the same from starts that are moved by `NUDGE`. A place at which a framework comes to the
            other's value by itself hangs on rounding: a tie, which is no difference.
        tied: truth values of the arrays' shape, true where both values are known to be as good, since the scores are
            equal to rounding.
    """
    (ours, first), (theirs, second) = values.items()
    if first.shape != second.shape:
        return Finding(quantity, name, Verdict.DIFFERENT, np.inf, reason=_shapes(values), mode=mode)
    if not first.size:
        return Finding(quantity, name, Verdict.INCONCLUSIVE, np.inf, reason="nothing was compared", mode=mode)
    odd = first != second
    ties = np.zeros_like(odd) if tied is None else odd & tied
    for framework, other in ((ours, second), (theirs, first)):
        for array in (moved or {}).get(framework, ()):
            ties |= odd & (array == other)
    if not (odd & ~ties).any():
        words = f"{int(ties.sum())} of {odd.size} are ties: the scores are equal to rounding" if ties.any() else ""
        verdict = Verdict.INCONCLUSIVE if ties.all() else Verdict.SAME
        return Finding(quantity, name, verdict, reason=words, mode=mode)
    index = tuple(int(i) for i in np.argwhere(odd & ~ties)[0])
    count = int((odd & ~ties).sum())
    return Finding(
        quantity,
        name,
        Verdict.DIFFERENT,
        np.inf,
        index=index,
        values={framework: float(array[index]) for framework, array in values.items()},
        reason=f"{count} of {odd.size} are not equal",
        mode=mode,
        gap=count / odd.size,
    )


def repeats(first: NDArray, second: NDArray) -> bool:
    """Whether two float32 runs of one network give the same, but for sums that are taken in another order."""
    if first.shape != second.shape or first.dtype.kind != "f":
        return np.array_equal(first, second)
    if np.array_equal(first, second, equal_nan=True):
        return True
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return False
    return _norm(_difference(first, second)) <= REDUCED * float(np.finfo(np.float32).eps) * _norm(first)


def may_be_wrong(deployed: NDArray, high: NDArray, low: NDArray) -> bool:
    """Whether an array is further from the float64 one than the rounding of the float32 one explains.

    Args:
        deployed: the array in question, in float32 or float64, as another program computes it.
        high, low: the arrays in float64 and in float32 from programs that are known to be right.
    """
    share = RATIO if deployed.dtype == np.float64 else 1.0
    deployed, high, low = (_reals(array.astype(np.float64)) for array in (deployed, high, low))
    if not (np.isfinite(high).all() and np.isfinite(low).all()):
        return False
    noise = max(_norm(_difference(low, high)), STORED * _norm(high))
    return not np.isfinite(deployed).all() or _norm(_difference(deployed, high)) > MARGIN * share * noise


def beyond_drift(first: NDArray, second: NDArray, moved: Sequence[NDArray]) -> bool:
    """Whether two arrays of one function differ by more than it drifts when its start is moved by one ulp.

    Args:
        first, second: the arrays, by two programs, both in float32 or both in float64.
        moved: what the second program gives from moved starts.
    """
    share = RATIO if first.dtype == np.float64 else 1.0
    first, second, *moved = (_reals(array.astype(np.float64)) for array in (first, second, *moved))
    drift = max((_norm(_difference(array, second)) for array in moved), default=0.0)
    return _norm(_difference(first, second)) > MARGIN * max(drift, share * STORED * _norm(second))


def equal_to_rounding(first: NDArray, second: NDArray) -> NDArray:
    """Where float64 numbers are as near to each other as rounding may bring them, element by element."""
    size = max(float(np.abs(first).max(initial=0.0)), float(np.abs(second).max(initial=0.0)))
    return np.abs(first - second) <= NUDGE * size


def within_float32(finding: Finding) -> bool:
    """Whether a gap in float64 is no more than the rounding of float32 explains: nothing to rule on where a side
    computes in float32 all the same."""
    return bool(finding.errors) and finding.gap <= MARGIN * max(finding.errors.values())


def only_rounding(finding: Finding) -> bool:
    """Whether the array that was ruled on is itself no larger than what passes as rounding: zero in theory."""
    return 0 < finding.share <= MARGIN * finding.gap


def _compare(quantity: str, name: str, values: Mapping[str, NDArray], noise: float, mode: str) -> Finding:
    gaps = {pair: _norm(_difference(values[pair[0]], values[pair[1]])) for pair in combinations(values, 2)}
    gap = max(gaps.values())
    share = np.inf if gap == np.inf else gap / noise
    verdict = Verdict.SAME if share <= MARGIN else Verdict.DIFFERENT
    index = _worst_index(values) if verdict is Verdict.DIFFERENT else None
    return Finding(
        quantity,
        name,
        verdict,
        share,
        index=index or (),
        values={} if index is None else {framework: float(array[index]) for framework, array in values.items()},
        culprit=_odd_one_out(gaps, MARGIN * noise) if verdict is Verdict.DIFFERENT else None,
        mode=mode,
        gap=gap,
    )


def _incomparable(values: Mapping[str, HighLow]) -> tuple[Verdict, str] | None:
    shapes = {framework: pair.high.shape for framework, pair in values.items()}
    if len(set(shapes.values())) > 1:
        return Verdict.DIFFERENT, _shapes({framework: pair.high for framework, pair in values.items()})
    if len(values) < 2 or 0 in next(iter(shapes.values())):
        return Verdict.INCONCLUSIVE, "nothing was compared"
    for pair in values.values():
        if pair.high.dtype != np.float64:
            return Verdict.INCONCLUSIVE, f"got {pair.high.dtype} where float64 was asked for: nothing to rule on"
    return _not_finite(values)


def _parts(pair: HighLow) -> HighLow:
    return HighLow(_reals(pair.high), None if pair.low is None else _reals(pair.low))


def _reals(array: NDArray) -> NDArray:
    """A complex array as its real and imaginary parts, along a last axis; any other as it is."""
    return np.stack([array.real, array.imag], -1) if np.iscomplexobj(array) else array


def _shapes(values: Mapping[str, NDArray]) -> str:
    return SHAPES + " against ".join(f"{a.shape} in {framework}" for framework, a in values.items())


def _not_finite(values: Mapping[str, HighLow]) -> tuple[Verdict, str] | None:
    arrays = [array for pair in values.values() for array in (pair.high, pair.low) if array is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        if all(np.isfinite(array.sum(dtype=np.float64)) for array in arrays):  # one fast pass; a false alarm goes on
            return None
    bad = {framework: ~np.isfinite(pair.high) for framework, pair in values.items()}
    first = next(iter(bad.values()))
    if any((mask != first).any() for mask in bad.values()):
        counts = ", ".join(f"{int(mask.sum())} in {framework}" for framework, mask in bad.items())
        return Verdict.DIFFERENT, f"numbers that are not finite: {counts}"
    if first.any():
        return Verdict.INCONCLUSIVE, f"{int(first.sum())} numbers are not finite on every side"
    return _overflows(values)


def _overflows(values: Mapping[str, HighLow]) -> tuple[Verdict, str] | None:
    """What float32 makes of numbers that are finite in float64; whose it is, where it is one framework's alone and at
    numbers that float32 holds. A compiler may have moved factors about, so that it is no other formula by itself."""
    bad = {framework: ~np.isfinite(pair.low) for framework, pair in values.items() if pair.low is not None}
    if not any(mask.any() for mask in bad.values()):
        return None
    held = np.logical_and.reduce([np.abs(pair.high) < float(np.finfo(np.float32).max) / 2 for pair in values.values()])
    alone = {framework: int((mask & held).sum()) for framework, mask in bad.items()}
    words = "float32 overflows: no error to compare with"
    if len(alone) > 1 and any(alone.values()) and not all(alone.values()):
        count, framework = max((count, framework) for framework, count in alone.items())
        words = f"not finite in {framework} in float32 alone: {count} of {held.size} numbers"
    return Verdict.INCONCLUSIVE, words


def _difference(a: NDArray | None, b: NDArray) -> NDArray:
    assert a is not None
    with np.errstate(over="ignore"):
        return np.subtract(a, b, dtype=np.float64)


def _norm(array: NDArray) -> float:
    """Euclidean norm, also of numbers whose squares overflow or underflow."""
    flat = array.ravel()
    with np.errstate(over="ignore"):
        squared = float(flat @ flat)
    if 1e-200 < squared < 1e200:
        return squared**0.5
    scale = float(np.abs(flat).max())
    return scale * float(np.linalg.norm(flat / scale)) if 0 < scale < np.inf else scale


def _worst_index(values: Mapping[str, NDArray]) -> tuple[int, ...]:
    arrays = list(values.values())
    spread = _difference(np.maximum.reduce(arrays), np.minimum.reduce(arrays))
    return tuple(int(i) for i in np.unravel_index(int(spread.argmax()), spread.shape))


def _odd_one_out(gaps: Mapping[tuple[str, str], float], limit: float) -> str | None:
    """The framework without which all the others agree, if there are at least two others."""
    frameworks = {framework for pair in gaps for framework in pair}
    for framework in frameworks if len(frameworks) > 2 else ():
        if all(gap <= limit for pair, gap in gaps.items() if framework not in pair):
            return framework
    return None


def _bits(error: float, size: float) -> float:
    if size == 0:
        return float("nan")
    return 24.0 if error == 0 else float(np.clip(-np.log2(error / size), 0, 24))


def _less_accurate(errors: Mapping[str, float], size: float, noise: float, count: int) -> str | None:
    """The framework whose float32 error is far beyond the other's, unless the array is nothing but rounding."""
    if size <= MARGIN * noise or len(errors) < 2 or count < FEWEST:
        return None
    lazy = max(errors, key=lambda framework: errors[framework])
    others = [max(error, STORED * size) for framework, error in errors.items() if framework != lazy]
    return lazy if errors[lazy] > REDUCED * max(others) else None


def _cast_to_single(twins: Mapping[str, HighLow], error: float) -> str | None:
    """The twin whose float64 numbers are float32 numbers throughout while another's are not and the gap is no more
    than float32 rounding explains. None where a twin's numbers are all zero: no rounding cuts off a gradient."""
    arrays = {framework: pair.high for framework, pair in twins.items()}
    gap = max([_norm(_difference(a, b)) for a, b in combinations(arrays.values(), 2)], default=np.inf)
    if gap > MARGIN * error or not all(array.any() for array in arrays.values()):
        return None
    single = [framework for framework, array in arrays.items() if (array == array.astype(np.float32)).all()]
    return single[0] if len(single) == 1 else None


AGREED = 2.0**-29
"""A relative gap in float64 below float32's rounding by as much again as float64's is: no difference of formula."""
FALL, NOISE = 2.0**-10, 2.0**-46
"""By how much a gap falls that was undone, and what float64's rounding of a few operations leaves of it."""


def closes(before: float, after: float) -> bool:
    """Whether undoing a cause closes a gap: what is left is no difference of formula, and little of what there was.

    One that is no gap with these numbers is closed by what leaves it as it is; see `is_apart`.

    Args:
        before, after: the gap with the cause and without it, relative to the arrays' size.
    """
    return after <= max(NOISE, min(AGREED, before * FALL))


def is_apart(gap: float) -> bool:
    """Whether a relative gap is one that can have a cause: more than float64's rounding."""
    return gap > NOISE
