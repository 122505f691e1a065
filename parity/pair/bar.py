"""What a check of a changed pair has to show to be worth going on with."""

import math
from dataclasses import dataclass

from parity.checks.verdict import Finding, Verdict
from parity.report.pair import Report

NEARER = 2
"""How many times smaller a change must make a gap that it does not close."""


class BarMissedError(Exception):
    """The sides are as far apart as they were: the check ends with what was ruled so far, and looks for no cause."""


@dataclass(frozen=True)
class Bar:
    """The place where two sides parted before one of them was changed.

    Args:
        rung: the number of the rung.
        finding: what differed there.
    """

    rung: int
    finding: Finding

    def missed(self, report: Report) -> bool:
        """Whether the rung is ruled and the sides are hardly nearer at that place; a gap that is not known does not
        say so."""
        gap = gap_at(report, self.rung, self.finding)
        return not math.isnan(gap) and not NEARER * gap < self.finding.gap


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
        if key_of(layer.finding) == key_of(finding):
            return layer.finding.gap
    for rung in report.rungs:
        if rung.number == number:
            for other in rung.findings:
                if key_of(other) == key_of(finding):
                    return other.gap
    return math.nan


def key_of(finding: Finding) -> tuple[str, str, str]:
    """What is the same of one place in two reports: the quantity, the name and the mode."""
    return finding.quantity, finding.name, finding.mode
