"""The report on a user's pair as JSON; docs/schema/pair-2.json is its schema."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions
from parity.report.exit_codes import EXIT_CODES, exit_code
from parity.report.json_ import plain
from parity.report.programs.answer import answer
from parity.report.records import ReportData

FORMAT = "netparity-pair/2"
SEVERAL = "netparity-pairs/2"
LEFT_OUT = ("repro_arrays",)
"""Fields of a report that have a file of their own."""


def write(report: ReportData, path: str | Path) -> None:
    """Write a report to a file, whole or not at all; numbers that JSON does not have are "inf" and "nan".

    The arrays of the reproduction script are left out, for they have a file of their own.

    Raises:
        UsageError: the file cannot be written.
    """
    write_atomically(path, json.dumps(document(report), indent=1, allow_nan=False) + "\n")


def write_all(reports: Sequence[ReportData], path: str | Path) -> None:
    """Write the report on one pair as `write` does, and of several an object with a list of what it writes for each.

    Raises:
        UsageError: The file cannot be written.
    """
    if len(reports) == 1:
        write(reports[0], path)
        return
    code = exit_code(report.verdict for report in reports)
    several = {"format": SEVERAL, "exit_code": code, "results": [document(report) for report in reports]}
    write_atomically(path, json.dumps(several, indent=1, allow_nan=False) + "\n")


def document(report: ReportData) -> dict[str, Any]:
    """The report as values that JSON can hold."""
    document = {
        "format": FORMAT,
        "exit_code": EXIT_CODES[report.verdict],
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
        **answer(report),
        **asdict(replace(report, repro_arrays=b"")),
    }
    for name in LEFT_OUT:
        del document[name]
    return plain(document)
