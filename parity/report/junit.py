"""Reports on pairs as JUnit XML: one suite for each pair, one case for each rung.

A file has a failure or an error exactly where the exit code is not 0.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from parity.checks.ladder import NAMES
from parity.checks.verdict import Rung, Verdict
from parity.files import write_atomically
from parity.report.pair_words import accepted, clean, not_run, places, sentence, summary
from parity.report.records import ReportData
from parity.report.terminal import evidence

MOST = 20
"""Number of findings that a failure lists; the JSON report has all of them."""


def write(reports: Sequence[ReportData], path: str | Path) -> None:
    """Write reports to a file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    root = ET.Element("testsuites", name="netparity")
    for report in reports:
        root.append(_suite(report))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    ET.indent(root, " ")
    write_atomically(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _suite(report: ReportData) -> ET.Element:
    """The suite of one pair, which passes or fails as the report does, also where no rung says why."""
    seconds = f"{report.seconds.get('total', 0.0):.3f}"
    suite = ET.Element("testsuite", name=clean(report.name), time=seconds)
    there = {rung.number: rung for rung in report.rungs}
    for number in sorted({*report.ladder, *there}):
        suite.append(_case(report, there[number]) if number in there else _skipped(report, number))
    if not report.verdict.passes and not _counts(suite, "failure", "error"):
        suite.append(_case(report, Rung(0, "verdict", report.verdict, reason=summary(report))))
    suite.set("tests", str(len(suite)))
    for count, tags in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(count, str(_counts(suite, tags)))
    return suite


def _counts(suite: ET.Element, *tags: str) -> int:
    return sum(case.find(tag) is not None for case in suite for tag in tags)


def _named(report: ReportData, number: int, name: str) -> ET.Element:
    return ET.Element("testcase", classname=clean(f"netparity.{report.name}"), name=f"{number} {name}")


def _skipped(report: ReportData, number: int) -> ET.Element:
    case = _named(report, number, NAMES[number])
    ET.SubElement(case, "skipped", message=clean(f"not run: {not_run(report)[number]}"))
    return case


def _case(report: ReportData, rung: Rung) -> ET.Element:
    case = _named(report, rung.number, rung.name)
    excuses = accepted(report, rung.number)
    if rung.verdict.passes or excuses:
        words = [sentence(rung), *(f"accepted: {excuse.name}: {excuse.text}" for excuse in excuses)]
        ET.SubElement(case, "system-out").text = clean("\n".join(words))
        return case
    tag = "failure" if rung.verdict is Verdict.DIFFERENT else "error"
    fault = ET.SubElement(case, tag, type=str(rung.verdict), message=clean(_message(report, rung)))
    fault.text = clean("\n".join(_body(report, rung)))
    return case


def _message(report: ReportData, rung: Rung) -> str:
    """A line that says what is wrong on a rung, where, and what to do."""
    first = report.first_difference
    if first is not None and first.rung == rung.name:
        cause = f" Cause: {first.cause}." if first.cause else ""
        cause += f" Suspected, not proven: {'; '.join(first.suspected)}." if first.suspected else ""
        mend = f" Mend: {first.mend}." if first.mend else " Compare the two layers, or run the report's script on them."
        return f"{first.text}.{cause}{mend}"
    if rung.verdict is Verdict.DIFFERENT:
        earlier = (first is not None and " Mend the first difference before this one.") or ""
        return f"{sentence(rung)}.{earlier}"
    return f"{sentence(rung)}. Not ruled on, so this is no pass: take away what hinders the comparison and run again."


def _body(report: ReportData, rung: Rung) -> list[str]:
    first = report.first_difference
    lines = [f"{k}: {v}" for k, v in places(first).items()] if first is not None and first.rung == rung.name else []
    bad = [finding for finding in rung.findings if not finding.verdict.passes]
    lines += [f"{finding.verdict}: {evidence(finding)}" for finding in bad[:MOST]]
    return lines + ([f"and {len(bad) - MOST:,} more"] if len(bad) > MOST else [])
