"""Whether a patch brings the two sides nearer to each other."""

import math

from parity.checks.verdict import Finding, Verdict
from parity.report.pair import Report
from parity.report.records import Difference


def first_finding(report: Report) -> tuple[int, Finding] | None:
    """The number of the first rung that differs with what differs on it first: the first layer, or the headline."""
    rung = next((rung for rung in report.rungs if rung.verdict is Verdict.DIFFERENT), None)
    if rung is None:
        return None
    layer = next((layer for layer in report.layers if layer.finding.verdict is Verdict.DIFFERENT), None)
    if rung.number == 2 and layer is not None:
        return rung.number, layer.finding
    finding = rung.headline
    return None if finding is None else (rung.number, finding)


def gap_at(report: Report, number: int, finding: Finding) -> float:
    """How far the sides are apart at the place of a finding; NaN where that place was not compared."""
    for layer in report.layers if number == 2 else ():
        if (layer.finding.quantity, layer.finding.name, layer.finding.mode) == _key(finding):
            return layer.finding.gap
    for rung in report.rungs:
        if rung.number == number:
            for other in rung.findings:
                if _key(other) == _key(finding):
                    return other.gap
    return math.nan


def passes_at(report: Report, number: int, finding: Finding) -> bool:
    """Whether the place of a finding passes, and every rung before it."""
    if any(rung.number < number and not rung.verdict.passes for rung in report.rungs):
        return False
    layers = [layer.finding for layer in report.layers if number == 2]
    ruled = [other for rung in report.rungs if rung.number == number for other in rung.findings]
    here = [other for other in (*layers, *ruled) if _key(other) == _key(finding)]
    return bool(here) and all(other.verdict.passes for other in here)


def parts(before: Report, made: Report) -> str:
    """The first of what agreed on the rung that differed, and no longer does with a patch; "" if all still does."""
    earlier = first_finding(before)
    if earlier is None:
        return ""
    agreed = {key for key, verdict in _ruled(before, earlier[0]).items() if verdict.passes}
    return next((key[1] for key, verdict in _ruled(made, earlier[0]).items()
                 if key in agreed and verdict is Verdict.DIFFERENT), "")  # fmt: skip


def _ruled(report: Report, number: int) -> dict[tuple[str, str, str], Verdict]:
    """The verdict on each thing that is compared on a rung."""
    layers = [layer.finding for layer in report.layers if number == 2]
    findings = [finding for rung in report.rungs if rung.number == number for finding in rung.findings]
    return {_key(finding): finding.verdict for finding in (*layers, *findings)}


def moved_on(before: Report, made: Report) -> bool:
    """Whether the sides now part first where they were said to part next, once the first cause is undone."""
    first, now = before.first_difference, made.first_difference
    if first is None or now is None or _place(now) == _place(first):
        return False
    return _place(now) in map(_place, first.further)


def _place(difference: Difference) -> tuple[object, ...]:
    return difference.rung, difference.layer_flax, difference.layer_torch, sorted(difference.lines.items())


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.quantity, finding.name, finding.mode
