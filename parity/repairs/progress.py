"""Whether a patch brings the two sides nearer to each other."""

from parity.checks.verdict import Finding, Verdict
from parity.pair.bar import first_finding, key_of
from parity.report.pair import Report
from parity.report.records import Difference


def passes_at(report: Report, number: int, finding: Finding) -> bool:
    """Whether the place of a finding passes, and every rung before it."""
    if any(rung.number < number and not rung.verdict.passes for rung in report.rungs):
        return False
    layers = [layer.finding for layer in report.layers if number == 2]
    ruled = [other for rung in report.rungs if rung.number == number for other in rung.findings]
    here = [other for other in (*layers, *ruled) if key_of(other) == key_of(finding)]
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
    return {key_of(finding): finding.verdict for finding in (*layers, *findings)}


def moved_on(before: Report, made: Report) -> bool:
    """Whether the sides now part first where they were said to part next, once the first cause is undone."""
    first, now = before.first_difference, made.first_difference
    if first is None or now is None or _place(now) == _place(first):
        return False
    return _place(now) in map(_place, first.further)


def parted_again(first: Difference) -> bool:
    """Whether the sides part once more at the place of the first difference after its cause is undone: how far they are
    apart there says little of a patch."""
    here = first.rung, first.layer_flax, first.layer_torch
    return any((each.rung, each.layer_flax, each.layer_torch) == here for each in first.further)


def _place(difference: Difference) -> tuple[object, ...]:
    return difference.rung, difference.layer_flax, difference.layer_torch, sorted(difference.lines.items())
