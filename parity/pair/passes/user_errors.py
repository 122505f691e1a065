"""What a check comes to where the users' code, or a framework, does not come to its end."""

from dataclasses import replace

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Verdict, rung, worst
from parity.report.pair import Report
from parity.report.records import Coverage


def broken(report: Report, number: int, reason: str) -> Report:
    """The report with the rung of that number inconclusive for that reason, whatever else was found on it."""
    before = next((one.findings for one in report.rungs if one.number == number), ())
    lost = Finding("rung", NAMES[number], Verdict.INCONCLUSIVE, reason=reason)
    rungs = [one for one in report.rungs if one.number != number]
    rungs.append(rung(number, NAMES[number], [*before, lost]))
    there = {one.number for one in rungs}
    later = {n: f"after rung {number}: {reason}" for n in report.ladder if n > number and n not in there}
    return replace(
        report,
        rungs=sorted(rungs, key=lambda one: one.number),
        verdict=worst([report.verdict, Verdict.INCONCLUSIVE]),
        not_run={**later, **{n: why for n, why in report.not_run.items() if n not in there}},
    )


def nothing(name: str, seed: int | None) -> Report:
    """The report on a pair of which nothing was ruled."""
    return Report(name, Verdict.INCONCLUSIVE, (), None, (), (), (), (), Coverage(0.0, 0.0), seed=seed)
