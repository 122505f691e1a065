"""The report on a user's pair for a person at a terminal."""

from collections.abc import Sequence
from io import StringIO

from rich import markup
from rich.console import Console
from rich.table import Table

from parity.checks.verdict import Verdict
from parity.errors import counted
from parity.report.pair_words import accepted, answer, clean, facts, places, sentence, summary
from parity.report.programs.answer import next_step
from parity.report.records import ReportData
from parity.report.terminal import MARKS, STYLES

WIDTH = 100
"""Columns of a report as text."""


def show(out: Console, report: ReportData, *, show_map: bool = False, quiet: bool = False) -> None:
    """Print the ladder, what differs and why, what the linter says, what was covered, then the answer.

    Args:
        out: the console to print to.
        report: the report on the pair.
        show_map: whether to print every line of the weight map too.
        quiet: whether to print one line only.
    """
    if quiet:
        show_line(out, report)
        return
    table = Table("", "rung", "verdict", "headline", box=None)
    for rung in report.rungs:
        names = ", ".join(convention.name for convention in accepted(report, rung.number))
        words = f"[{STYLES[rung.verdict]}]{MARKS[rung.verdict]} {rung.verdict}[/]"
        words += f" (accepted: {names})" if names else ""
        table.add_row(str(rung.number), rung.name, words, escape(sentence(rung)))
    out.print(f"[bold]{escape(report.name)}[/]")
    out.print(table)
    if show_map:
        _map(out, report)
    _first(out, report)
    _remarks(out, report)
    out.print(f"\n{report.verdict.upper()}: {answer(report)}", style=STYLES[report.verdict], soft_wrap=True)
    out.print(f"{summary(report)}", soft_wrap=True)
    if report.verdict is Verdict.DIFFERENT:
        out.print(f"next: {escape(next_step(report))}{_repair(report)}", style="bold", soft_wrap=True)


def _repair(report: ReportData) -> str:
    """How the mend is written by rule, where a cause was proven and the pair is a function in a file."""
    first = report.first_difference
    if first is None or not first.proof or not first.mend or ".py:" not in report.name:
        return ""
    return f" Or say parity repair {escape(report.name)}: it writes what it can into a copy and proves the pair again."


def escape(words: str) -> str:
    """Words as they are to be printed: nothing in them is a mark of rich's or a control character."""
    return markup.escape(clean(words))


def text(report: ReportData) -> str:
    """What `show` prints, without colours."""
    out = Console(file=StringIO(), width=WIDTH, highlight=False, emoji=False, color_system=None)
    with out.capture() as captured:
        show(out, report)
    return captured.get().rstrip()


def show_line(out: Console, report: ReportData) -> None:
    """Print one line: the name, the verdict, and what differs first or why there is no verdict."""
    first, headline = report.first_difference, report.headline
    why = first.text if first is not None else sentence(headline) if headline is not None else summary(report)
    mark = f"[{STYLES[report.verdict]}]{MARKS[report.verdict]}[/]"
    out.print(f"{mark} {escape(report.name)}: {report.verdict}; {escape(why)}", soft_wrap=True)


def show_all(out: Console, reports: Sequence[ReportData]) -> None:
    """Print a line for each of several pairs."""
    out.print()
    for report in reports:
        show_line(out, report)


def _map(out: Console, report: ReportData) -> None:
    table = Table("Flax", "PyTorch", "how", "proven", box=None)
    for line in report.weights:
        table.add_row(
            *map(escape, (line.flax or "–", line.torch or "–", line.note or line.how)), "yes" if line.proven else "no"
        )
    out.print(table)


def _first(out: Console, report: ReportData) -> None:
    if report.first_difference is not None:
        out.print(
            f"\nfirst difference ({report.first_difference.rung}): {escape(report.first_difference.text)}",
            soft_wrap=True,
        )
        for label, words in places(report.first_difference).items():
            out.print(f"  {label}: {escape(words)}", soft_wrap=True)


def _remarks(out: Console, report: ReportData) -> None:
    for convention in report.conventions:
        how = ", ".join(
            ["confirmed" if convention.confirmed else "not confirmed", *(["accepted"] if convention.accepted else [])]
        )
        out.print(f"\nconvention {convention.name} ({how}): {escape(convention.text)}", soft_wrap=True)
    if report.lints:
        out.print("\ndeclared differently:")
        for lint in report.lints:
            out.print(f"  {escape(lint.text)}" + (f" ({lint.count} layers)" if lint.count > 1 else ""), soft_wrap=True)
    for note in report.notes:
        out.print(f"note: {escape(note)}", style="dim", soft_wrap=True)
    cover, proven = report.coverage, sum(line.proven for line in report.weights)
    arrays = counted(len(report.weights), "array")
    out.print(
        f"\nmapped {100 * cover.parameters:.4g} % of the parameters; {proven} of {arrays} proven; "
        f"{100 * cover.layers:.4g} % of the layers compared; {report.seconds.get('total', 0):.1f} s",
        soft_wrap=True,
    )
    if report.inputs:
        words = "; ".join(f"{label} {words}" for label, words in facts(report).items())
        out.print(escape(words), style="dim", soft_wrap=True)
