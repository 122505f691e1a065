"""The report on a user's pair as Markdown, for the summary of a job on a build server."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from parity.checks.ladder import NAMES
from parity.files import write_atomically
from parity.report.environment import versions
from parity.report.pair_words import accepted, answer, clean, facts, not_run, places, sentence, summary
from parity.report.records import ReportData
from parity.report.terminal import MARKS

MOST = 20
"""Number of lints and of unpaired names that are listed; the other reports have all of them."""


def write(report: ReportData, path: str | Path) -> None:
    """Write the report to a file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    write_atomically(path, text(report))


def write_all(reports: Sequence[ReportData], path: str | Path) -> None:
    """Write several reports to a file, one after the other, whole or not at all.

    Raises:
        UsageError: The file cannot be written.
    """
    write_atomically(path, "\n".join(map(text, reports)))


def text(report: ReportData) -> str:
    """The verdict, the first difference, then tables: rungs, conventions, lints; what was covered; versions."""
    sections = (_verdict, _first, _rungs, _conventions, _coverage, _lints, _notes, _versions)
    return "\n".join(line for section in sections for line in section(report))


def escaped(words: object) -> str:
    """The words as one line that Markdown shows as they are: its marks, HTML and the bars of a table are escaped."""
    flat = " ".join(clean(str(words)).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", flat)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(map(escaped, row))} |" for row in rows)
    yield ""


def _verdict(report: ReportData) -> Iterator[str]:
    yield f"## {MARKS[report.verdict]} {escaped(report.name)}: {report.verdict}"
    yield ""
    yield f"{answer(report)} {escaped(summary(report))}."
    yield ""


def _first(report: ReportData) -> Iterator[str]:
    if (first := report.first_difference) is None:
        return
    yield f"### First difference: {escaped(first.rung)}"
    yield ""
    yield f"{escaped(first.text)}"
    yield ""
    yield from (f"- {label}: {escaped(words)}" for label, words in places(first).items())
    yield ""


def _rungs(report: ReportData) -> Iterator[str]:
    there = {rung.number: rung for rung in report.rungs}
    rows: list[tuple[object, ...]] = []
    for number in sorted({*report.ladder, *there}):
        if (rung := there.get(number)) is None:
            rows.append((number, NAMES[number], "– not run", not_run(report)[number]))
            continue
        names = ", ".join(convention.name for convention in accepted(report, number))
        words = f"{MARKS[rung.verdict]} {rung.verdict}" + (f" (accepted: {names})" if names else "")
        rows.append((number, rung.name, words, sentence(rung)))
    yield from _table(("", "rung", "verdict", "headline"), rows)


def _conventions(report: ReportData) -> Iterator[str]:
    if report.conventions:
        yield "### Conventions"
        yield ""
        rows = [
            (c.name, c.text, ", ".join(map(str, c.rungs)), _yes(c.confirmed), _yes(c.accepted))
            for c in report.conventions
        ]
        yield from _table(("convention", "what it is", "rungs", "confirmed", "accepted"), rows)


def _coverage(report: ReportData) -> Iterator[str]:
    cover, proven = report.coverage, sum(line.proven for line in report.weights)
    yield "### Coverage"
    yield ""
    yield f"- parameters mapped: {_percent(cover.parameters)}"
    yield f"- arrays of the map proven: {proven:,} of {len(report.weights):,}"
    yield f"- layers compared: {_percent(cover.layers)}"
    for side, names in (("Flax", cover.unpaired_flax), ("PyTorch", cover.unpaired_torch)):
        if names:
            more = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
            yield f"- calls of {side} without a partner: {escaped(', '.join(names[:MOST]))}{more}"
    yield ""


def _lints(report: ReportData) -> Iterator[str]:
    if report.lints:
        yield "### Settings that differ"
        yield ""
        rows = [(lint.layer_flax, lint.layer_torch, lint.text, lint.count) for lint in report.lints[:MOST]]
        yield from _table(("Flax", "PyTorch", "what differs", "layers"), rows)
        if len(report.lints) > MOST:
            yield f"and {len(report.lints) - MOST:,} more"
            yield ""


def _notes(report: ReportData) -> Iterator[str]:
    if report.notes:
        yield "### Notes"
        yield ""
        yield from (f"- {escaped(note)}" for note in report.notes)
        yield ""


def _versions(report: ReportData) -> Iterator[str]:
    total = report.seconds.get("total")
    if report.inputs:
        yield escaped(" · ".join(f"{label} {words}" for label, words in facts(report).items()))
        yield ""
    parts = [f"{name} {version}" for name, version in versions().items()]
    yield escaped(" · ".join(parts + ([f"{total:.1f} s"] if total is not None else [])))
    yield ""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _percent(share: float) -> str:
    """A share (0 to 1) in per cent, rounded down, so that 100 % means all."""
    return f"{int(1000 * share) / 10:g} %"
