"""Results as JSON; docs/schema/check-2.json is their schema."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parity.files import write_atomically
from parity.report.environment import versions
from parity.report.exit_codes import exit_code
from parity.report.programs.answer import answer
from parity.report.records import ReportData

FORMAT = "netparity-check/2"
FIELDS = ("verdict", "name", "rungs", "seed", "device", "data")
"""Fields of a recipe's report that this format has."""


def write(results: Sequence[ReportData], path: str | Path) -> None:
    """Write results to a file, whole or not at all; numbers that JSON does not have are the strings "inf" and "nan".

    Raises:
        UsageError: the file cannot be written.
    """
    document = {
        "format": FORMAT,
        "verdict": [r.verdict for r in results],
        "exit_code": exit_code(r.verdict for r in results),
        "versions": versions(),
        "results": [_recipe(r) for r in results],
    }
    write_atomically(path, json.dumps(plain(document), indent=1, allow_nan=False) + "\n")


def _recipe(report: ReportData) -> dict[str, Any]:
    """The fields of a recipe's report that this format has."""
    return {
        **{name: getattr(report, name) for name in FIELDS},
        "rungs": [asdict(rung) for rung in report.rungs],
        "seconds": report.seconds.get("total", 0.0),
        **answer(report),
    }


def plain(value: Any) -> Any:
    """A value in which inf and nan, which JSON lacks, are the strings "inf", "-inf" and "nan"; tuples become lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
