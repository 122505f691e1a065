"""How often the cause of a planted bug is named, proven and right.

`python -m benchmarks.evidence.causes [BUG …] [--json FILE]`. Every bug of the catalogue that is planted in a brought
pair is checked as a user would check it. A cause is *right* if it says what the bug's code does
(`benchmarks/evidence/causes/truths.py`), *wrong* if it is printed and does not.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.evidence.causes.truths import TRUTHS, is_right
from parity.backends.processes.configuration import keep_compiled_programs
from parity.bugs.catalogue import BUGS
from parity.bugs.run import Outcome, run
from parity.files import require_writable, write_atomically
from parity.report.environment import commit, versions

COMMAND = "python -m benchmarks.evidence.causes"


def main(argv: Sequence[str]) -> int:
    """Plant the bugs, print what was said of each, write the record; return 1 if a cause is wrong."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("ids", nargs="*", metavar="BUG")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    if arguments.json:
        require_writable("--json", arguments.json)
    keep_compiled_programs()
    rows = []
    for name in arguments.ids or [bug.id for bug in BUGS if bug.id in TRUTHS]:
        rows += [row(outcome) for outcome in run([name])]
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    print(json.dumps(counted(rows)), file=sys.stderr)
    if arguments.json:
        record = {"command": COMMAND, "commit": commit(), "versions": versions(), "counts": counted(rows), "bugs": rows}
        write_atomically(arguments.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(row["wrong"] for row in rows) else 0


def row(outcome: Outcome) -> dict[str, Any]:
    """What was said of one bug, beside what is true of it."""
    bug, difference = outcome.bug, outcome.difference
    cause = difference.cause if difference else ""
    right = is_right(bug.id, f"{cause} {difference.mend if difference else ''}") if cause else False
    return {
        "id": bug.id,
        "mechanism": bug.mechanism,
        "side": bug.side,
        "caught": outcome.caught,
        "placed": outcome.as_expected,
        "place": difference.text if difference else "",
        "cause": cause,
        "mend": difference.mend if difference else "",
        "proof": difference.proof if difference else "",
        "lines": dict(difference.lines) if difference else {},
        "suspected": list(difference.suspected) if difference else [],
        "right": right,
        "wrong": bool(cause) and not right,
    }


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many bugs there are, and how many were caught, placed, named, proven, named rightly and wrongly."""
    counts = {"bugs": len(rows)}
    counts |= {what: sum(bool(row[what]) for row in rows) for what in ("caught", "placed", "cause", "right", "wrong")}
    return {**counts, "proven": sum(bool(row["proof"]) for row in rows)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
