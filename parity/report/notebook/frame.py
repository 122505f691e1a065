"""A report as a small page in a frame that runs nothing, for a notebook's cell."""

from collections.abc import Iterator, Sequence
from html import escape

from parity.checks.verdict import Verdict
from parity.report.pair_words import accepted, answer, clean, facts, not_run, places, sentence, summary
from parity.report.records import ReportData
from parity.report.terminal import MARKS

COLOURS = {
    Verdict.SAME: "#1a7f37",
    Verdict.LESS_ACCURATE: "#9a6700",
    Verdict.INCONCLUSIVE: "#8250df",
    Verdict.DIFFERENT: "#cf222e",
}
STYLE = (
    ":root{color-scheme:light dark}body{font:14px system-ui,sans-serif;margin:4px;overflow-wrap:anywhere}"
    "h1{font-size:16px;margin:0 0 4px}p{margin:4px 0}th,td{text-align:left;vertical-align:top;padding:2px 12px 2px 0}"
    "dt{float:left;clear:left;width:9em;opacity:.7}dd{margin-left:9.5em}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MOST = 10
"""Notes that are shown; the written reports have all of them."""
LINE, ROOM, TALLEST = 24, 110, 600
"""Pixels of a line, of what is always there, and of the frame at most; what is longer scrolls inside."""


def frame(report: ReportData) -> str:
    """HTML of a frame with the verdict, the first difference, the rungs and the notes. No script can run in it."""
    lines = list(_lines(report))
    height = min(TALLEST, ROOM + LINE * (len(report.rungs) + len(lines)))
    title = _text(f"netparity: {report.name}")
    return (
        f'<iframe sandbox="" title="{title}" srcdoc="{escape(page(report))}" '
        f'style="width:100%;height:{height}px;border:1px solid #8884;border-radius:6px"></iframe>'
    )


def page(report: ReportData) -> str:
    """The page in the frame."""
    title = _text(f"{MARKS[report.verdict]} {report.name}: {report.verdict}")
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style>'
    paragraph = f"<p>{_text(f'{answer(report)} {summary(report)}.')}</p>"
    body = [f'<h1 style="color:{COLOURS[report.verdict]}">{title}</h1>', paragraph, *_lines(report)]
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(body)}</body></html>"


def _lines(report: ReportData) -> Iterator[str]:
    if (first := report.first_difference) is not None:
        yield f"<p><b>First difference, {_text(first.rung)}:</b> {_text(first.text)}</p>"
        yield "<dl>" + "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in places(first).items()) + "</dl>"
    yield _table(report)
    for convention in report.conventions:
        yield f"<p><b>{_text(convention.name)}</b>: {_text(convention.text)}{_accepted(convention.accepted)}</p>"
    yield from (f"<p>{_text(note)}</p>" for note in report.notes[:MOST])
    if report.inputs:
        yield f"<p><small>{_text('; '.join(f'{label} {words}' for label, words in facts(report).items()))}</small></p>"


def _table(report: ReportData) -> str:
    missing = not_run(report)
    rows = [_row(report, number) for number in sorted({*(rung.number for rung in report.rungs)})]
    rows += [_cells([str(number), "", "not run", why]) for number, why in missing.items()]
    return f"<table>{''.join(rows)}</table>"


def _row(report: ReportData, number: int) -> str:
    rung = next(rung for rung in report.rungs if rung.number == number)
    excused = _accepted(bool(accepted(report, number)))
    return _cells([str(number), rung.name, f"{MARKS[rung.verdict]} {rung.verdict}{excused}", sentence(rung)])


def _cells(words: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{_text(word)}</td>' for word in words)}</tr>"


def _accepted(is_accepted: bool) -> str:
    return " (accepted)" if is_accepted else ""


def _text(words: str) -> str:
    return escape(clean(words))
