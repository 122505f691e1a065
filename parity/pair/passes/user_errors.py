"""What a check comes to where the users' code, or a framework, does not come to its end."""

import traceback
from dataclasses import replace
from pathlib import Path

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Verdict, worst
from parity.checks.verdict import rung as ruled
from parity.interface.user_code import words
from parity.report.pair import Report
from parity.report.records import Coverage


def broken(report: Report, number: int, reason: str) -> Report:
    """The report with one rung inconclusive, whatever else was found on it.

    Args:
        report: The report on what was ruled before.
        number: The number of the rung.
        reason: Why it was not ruled, in words.
    """
    before = next((rung.findings for rung in report.rungs if rung.number == number), ())
    lost = Finding("rung", NAMES[number], Verdict.INCONCLUSIVE, reason=reason)
    rungs = [*(rung for rung in report.rungs if rung.number != number), ruled(number, NAMES[number], [*before, lost])]
    there = {rung.number for rung in rungs}
    later = {n: f"after rung {number}: {reason}" for n in report.ladder if n > number and n not in there}
    return replace(
        report,
        rungs=sorted(rungs, key=lambda rung: rung.number),
        verdict=worst([report.verdict, Verdict.INCONCLUSIVE]),
        not_run={**later, **{n: why for n, why in report.not_run.items() if n not in there}},
    )


def nothing(name: str, seed: int | None) -> Report:
    """The report on a pair of which nothing was ruled; `seed` is None where nothing was drawn either."""
    return Report(name, Verdict.INCONCLUSIVE, (), None, (), (), (), (), Coverage(0.0, 0.0), seed=seed)


def own_fault(error: Exception) -> str:
    """What is said of an exception that is no fault of the users'."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"netparity itself failed: {words(error)} ({Path(frame.filename).name} line {frame.lineno}); please report it "
        "with the pair. NETPARITY_DEBUG=1 shows where"
    )
