"""The report on a user's pair as one HTML file that needs nothing else: no network, no server, no library."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from parity.checks.ladder import NAMES
from parity.checks.referee import AGREED, MARGIN
from parity.checks.verdict import Finding, Verdict
from parity.files import write_atomically
from parity.report import markdown
from parity.report.environment import commit, hardware, versions
from parity.report.exit_codes import EXIT_CODES
from parity.report.json_ import plain
from parity.report.pair_words import accepted, answer, clean, facts, not_run, sentence, summary
from parity.report.records import SIDES, Difference, Layer, ReportData
from parity.report.terminal import MARKS

SCRIPTS = (
    "page.js",
    "page_theme.js",
    "page_table.js",
    "page_plot.js",
    "page_values.js",
    "page_layers.js",
    "page_verdict.js",
    "page_ladder.js",
    "page_facts.js",
    "page_sections.js",
)
"""The page's scripts, in the order in which they run."""


def write(report: ReportData, path: str | Path) -> None:
    """Write the page to a file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    write_atomically(path, page(report))


def page(report: ReportData) -> str:
    """The report as the text of an HTML page.

    What the report says is in it only as escaped JSON and, for readers without scripts, as escaped text. A policy in
    the page allows its own script and style alone, by their hashes.
    """
    style, script = part("page.css"), "\n".join(map(part, SCRIPTS))
    title = clean(f"{MARKS[report.verdict]} {report.name}: {report.verdict}")
    plain_text = f"<noscript><pre>{html.escape(markdown.text(report))}</pre></noscript>"
    data = f'<script type="application/json" id="data">{embedded(payload(report))}</script>\n'
    return framed(title, style=style, script=script, main=plain_text, data=data)


def framed(title: str, *, style: str, script: str, main: str, contents: str = "", data: str = "") -> str:
    """A whole HTML page, whose policy allows this one style and this one script, by their hashes, and nothing else.

    Args:
        title: the page's title as plain text; it is escaped here.
        style, script: the page's CSS and JavaScript.
        main, contents, data: HTML of the page's body, of its list of sections, and of what follows its body.
    """
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    values = {
        "TITLE": html.escape(title),
        "POLICY": f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
        "STYLE": style,
        "CONTENTS": contents,
        "MAIN": main,
        "DATA": data,
        "SCRIPT": script,
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda match: values[match[1]], part("page.html"))


def embedded(value: Any) -> str:
    """A value as JSON that can stand in a script element, since nothing in it can end the element or begin a
    comment."""
    text = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _first(difference: Difference) -> dict[str, Any]:
    """The first difference with what differs once it is undone; the edits that undid it are for `parity repair`."""
    shown = {key: value for key, value in vars(difference).items() if key != "undone"}
    further = [{key: value for key, value in vars(each).items() if key != "undone"} for each in difference.further]
    return {**shown, "further": further}


def payload(report: ReportData) -> dict[str, Any]:
    """What the page shows, as values that JSON can hold; the page's scripts read these keys."""
    return {
        "name": report.name,
        "verdict": report.verdict,
        "answer": answer(report),
        "summary": summary(report),
        "exit_code": EXIT_CODES[report.verdict],
        "marks": MARKS,
        "verdicts": list(Verdict),
        "margin": MARGIN,
        "agreed": AGREED,
        "first": None if report.first_difference is None else _first(report.first_difference),
        "rungs": _rungs(report),
        "layers": [_layer(layer) for layer in report.layers],
        "weights": [vars(line) for line in report.weights],
        "lints": [vars(lint) for lint in report.lints],
        "conventions": [vars(convention) for convention in report.conventions],
        "coverage": {key: list(v) if not isinstance(v, float) else v for key, v in vars(report.coverage).items()},
        "losses": {side: list(losses) for side, losses in report.losses.items()},
        "notes": list(report.notes),
        "script": report.repro_script,
        "seconds": dict(report.seconds),
        "facts": facts(report),
        "environment": {**versions(), **hardware(), "commit": commit()},
    }


def _rungs(report: ReportData) -> list[dict[str, Any]]:
    """Every rung that this kind of pair can have; the layers' own findings are left to the layers."""
    shared = {id(f) for layer in report.layers for f in (layer.finding, layer.gradient)}
    rungs = [
        {
            "number": rung.number,
            "name": rung.name,
            "verdict": rung.verdict,
            "sentence": sentence(rung),
            "layer": rung.layer,
            "accepted": [convention.name for convention in accepted(report, rung.number)],
            "findings": [_finding(finding) for finding in rung.findings if id(finding) not in shared],
            "of": len(rung.findings),
        }
        for rung in report.rungs
    ]
    missing = [{"number": n, "name": NAMES[n], "sentence": why} for n, why in not_run(report).items()]
    return sorted([*rungs, *missing], key=lambda rung: rung["number"])


def _layer(layer: Layer) -> list[Any]:
    """A layer's row as a list, which is shorter than an object: a page may have two thousand of them.

    The script's `layerOf` names the places of the list.
    """
    gradient = None if layer.gradient is None else _finding(layer.gradient)
    alone = None if layer.alone is None else _finding(layer.alone)
    names = [layer.flax, layer.torch, layer.type, layer.mode, list(layer.shape)]
    return [*names, _finding(layer.finding), _short(layer.inherited), gradient, alone]


def _finding(finding: Finding) -> list[Any]:
    """A finding as a list; the script's `findingOf` names the places of the list."""
    return [
        finding.quantity,
        finding.name,
        finding.mode,
        finding.verdict,
        _short(finding.share),
        _short(finding.gap),
        _sides(finding.errors),
        _sides(finding.bits),
        list(finding.index),
        [finding.values.get(side) for side in SIDES] if finding.values else None,
        finding.reason,
    ]


def _sides(numbers: Mapping[str, float]) -> list[float | None]:
    return [None if side not in numbers else _short(numbers[side]) for side in SIDES]


def _short(number: float) -> float:
    """A number rounded to four digits, as many as the page shows."""
    return float(f"{number:.4g}")


def part(name: str) -> str:
    """The text of a style, script or template that lies beside this module."""
    return files("parity.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The hash of a text as a content security policy writes it: "sha256-" and the digest in base64."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
