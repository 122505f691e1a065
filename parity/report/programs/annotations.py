"""A report as annotations of the user's lines, as GitHub reads them from a job's output."""

import os
import re
from pathlib import Path

from parity.checks.verdict import Verdict
from parity.report.pair_words import clean, places, sentence, summary
from parity.report.programs.answer import next_step
from parity.report.records import ReportData

LINE = re.compile(r"([\w./\-]+\.py)(?::| line )(\d+)")
"""A line of a file as reports name it: "net.py:12" or "net.py line 12"."""


def annotations(report: ReportData, file: Path, line: int) -> list[str]:
    """The workflow commands for a report: none if it passes, else one for each line of the users' that it names.

    Args:
        report: The report on a pair.
        file, line: Place of the function that makes the pair, for a report that names no line.
    """
    if report.verdict.passes:
        return []
    level = "error" if report.verdict is Verdict.DIFFERENT else "warning"
    title = f"netparity: {report.name} is {report.verdict}"
    return [
        f"::{level} file={_value(_from_root(path))},line={number},title={_value(title)}::{_text(_message(report))}"
        for path, number in _named(report, file) or [(file, line)]
    ]


def _message(report: ReportData) -> str:
    """What differs, why and what to do."""
    first, headline = report.first_difference, report.headline
    if first is None:
        return f"{sentence(headline) if headline is not None else summary(report)}\n{next_step(report)}"
    why = [f"Cause: {first.cause}"] if first.cause else []
    return "\n".join([first.text, *why, next_step(report)])


def _named(report: ReportData, file: Path) -> list[tuple[Path, int]]:
    """The lines of the users' that a report names, of files that are there."""
    first = report.first_difference
    words = [] if first is None else [first.text, *places(first).values()]
    if report.headline is not None:
        words.append(sentence(report.headline))
    lines = [(_there(match[1], file), int(match[2])) for text in words for match in LINE.finditer(text)]
    return list(dict.fromkeys((path, number) for path, number in lines if path is not None))


def _there(name: str, file: Path) -> Path | None:
    return next((path for path in (Path(name), file.parent / name) if path.is_file()), None)


def _from_root(path: Path) -> str:
    """A path from the root of the repository that a job has checked out."""
    return os.path.relpath(path, os.environ.get("GITHUB_WORKSPACE") or ".")


def _text(words: str) -> str:
    return clean(words).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(words: str) -> str:
    return _text(words).replace(":", "%3A").replace(",", "%2C")
