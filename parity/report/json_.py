"""Results as JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parity.files import write_atomically
from parity.report.environment import versions
from parity.report.result import Result, exit_code

FORMAT = "netparity-check/1"


def write(results: Sequence[Result], path: str | Path) -> None:
    """Write results to a file, whole or not at all; numbers that JSON does not have are the strings "inf" and "nan".

    Raises:
        UsageError: the file cannot be written.
    """
    document = {
        "format": FORMAT,
        "verdict": [r.verdict for r in results],
        "exit_code": exit_code(results),
        "versions": versions(),
        "results": [{"verdict": r.verdict, **asdict(r)} for r in results],
    }
    write_atomically(path, json.dumps(plain(document), indent=1, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """The same of lists, dictionaries and numbers that JSON has: inf and nan as the strings "inf", "-inf" and "nan"."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
