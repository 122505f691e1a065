"""What a check comes to where the users' code, or a framework, does not come to its end."""

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Verdict, rung, worst
from parity.errors import UsageError
from parity.report.pair import Coverage, Report
from parity.report.pair_words import RUNGS

NOT_USERS = {Path(__file__).parents[2], *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))}
"""Folders of what is not the users' code: ours, and Python's and installed libraries."""


class UserCodeError(UsageError):
    """What the users' networks, losses, optimizers or schedules raised.

    Args:
        error: as it was raised.
        during: what ran, a noun phrase.
        backward: whether that computed gradients.
    """

    def __init__(self, error: Exception, during: str, backward: bool) -> None:
        super().__init__(f"{words(error)} during {during}{_place(error)}")
        self.backward = backward


@contextmanager
def raising(during: str, backward: bool = False) -> Iterator[None]:
    """Say what was running of whatever is raised inside, unless it is said already.

    Raises:
        UserCodeError: something was.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UserCodeError(error, during, backward) from error


def words(error: BaseException) -> str:
    """An error's type and the first line of what it says, without notes that others added (JAX: on its traceback)."""
    told = traceback.TracebackException.from_exception(error)
    told.__notes__ = None
    return [*told.format_exception_only()][-1].strip().splitlines()[0]


def _place(error: Exception) -> str:
    """The last line of the users' code on the way to where it was raised, if there is one."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [f"{path.name} line {line}" for path, line in frames if not NOT_USERS & set(path.parents)]
    return f", {own[-1]}" if own else ""


def broken(report: Report, number: int, reason: str) -> Report:
    """The report with the rung of that number inconclusive for that reason, whatever else was found on it."""
    before = next((one.findings for one in report.rungs if one.number == number), ())
    lost = Finding("rung", NAMES[number], Verdict.INCONCLUSIVE, reason=reason)
    rungs = [one for one in report.rungs if one.number != number]
    rungs.append(rung(number, NAMES[number], [*before, lost]))
    there = {one.number for one in rungs}
    later = {n: f"after rung {number}: {reason}" for n in RUNGS if n > number and n not in there}
    return replace(
        report,
        rungs=sorted(rungs, key=lambda one: one.number),
        verdict=worst([report.verdict, Verdict.INCONCLUSIVE]),
        not_run={**later, **{n: why for n, why in report.not_run.items() if n not in there}},
    )


def nothing(name: str, seed: int | None) -> Report:
    """The report on a pair of which nothing was ruled."""
    return Report(name, Verdict.INCONCLUSIVE, (), None, (), (), (), (), Coverage(0.0, 0.0), seed=seed)
