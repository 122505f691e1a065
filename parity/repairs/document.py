"""A repair as JSON; docs/schema/repair-1.json is its schema, which `python -m parity.repairs.document` prints."""

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from parity.checks.verdict import Verdict
from parity.files import write_atomically
from parity.repairs.record import Repair, Round, Tried
from parity.report.environment import commit, versions
from parity.report.exit_codes import EXIT_CODES
from parity.report.json_ import plain
from parity.report.programs.answer import answer
from parity.report.programs.schema import answered, object_of, record_of, with_definitions

FORMAT = "netparity-repair/1"


def document(repair: Repair) -> dict[str, Any]:
    """The repair as values that JSON can hold.

    The causes with all patches that were tried, the patches that were kept as one diff, and in `left` what
    `parity check --json` says of the place, the cause and the mend that are left.
    """
    return plain(
        {
            "format": FORMAT,
            "exit_code": EXIT_CODES[repair.verdict],
            "versions": versions(),
            "commit": commit(),
            "name": repair.name,
            "before": repair.before.verdict,
            "verdict": repair.verdict,
            "repaired": repair.repaired,
            "rounds": [asdict(round_) for round_ in repair.rounds],
            "diff": repair.diff,
            "written": list(repair.written),
            "left": answer(repair.after),
        }
    )


def write(repair: Repair, path: str | Path) -> None:
    """Write a repair to a file, whole or not at all; raises UsageError if it cannot be written."""
    write_atomically(path, json.dumps(document(repair), indent=1, allow_nan=False) + "\n")


def schema() -> dict[str, Any]:
    """The schema of a repair, as values that JSON can hold."""
    definitions: dict[str, Any] = {}
    rounds = record_of(Round, definitions)
    assert {field.name for field in fields(Tried)} == set(definitions["Tried"]["properties"])
    verdict = {"enum": [str(member) for member in Verdict]}
    text = {"type": "string"}
    document = {
        "format": {"const": FORMAT},
        "exit_code": {"enum": sorted(set(EXIT_CODES.values()))},
        "versions": {"type": "object", "additionalProperties": text},
        "commit": text,
        "name": text,
        "before": verdict,
        "verdict": verdict,
        "repaired": {"type": "boolean"},
        "rounds": {"type": "array", "items": rounds},
        "diff": text,
        "written": {"type": "array", "items": text},
        "left": object_of(answered(definitions)),
    }
    return with_definitions("netparity's repair of a pair", object_of(document), definitions)


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=1)
    sys.stdout.write("\n")
