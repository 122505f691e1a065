"""The report on a user's pair as JSON."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions
from parity.report.exit_codes import EXIT_CODES
from parity.report.json_ import plain
from parity.report.records import ReportData

FORMAT = "netparity-pair/1"


def write(report: ReportData, path: str | Path) -> None:
    """Write a report to a file, whole or not at all; numbers that JSON does not have are "inf" and "nan".

    The arrays of the reproduction script are left out, for they have a file of their own.

    Raises:
        UsageError: the file cannot be written.
    """
    document = {
        "format": FORMAT,
        "exit_code": EXIT_CODES[report.verdict],
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
        **asdict(replace(report, repro_arrays=b"")),
    }
    del document["repro_arrays"]  # a file of its own
    write_atomically(path, json.dumps(plain(document), indent=1, allow_nan=False) + "\n")
