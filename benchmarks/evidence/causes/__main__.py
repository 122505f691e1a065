"""How often the cause of a planted bug is named, proven and right, and its operation found.

`python -m benchmarks.evidence.causes [BUG …] [--rows FILE] [--json FILE]`. Every bug that is planted in a brought pair
is checked as a user would check it: those of the catalogue, and those in the texts of
`benchmarks/evidence/causes/written`.
A cause is *right* if it says what the bug's code does (`truths.py`, and the texts' `.toml` files, which were written
before the bugs were checked), *wrong* if it is printed and does not. Of a bug that is planted in a function without
submodules, the line that is named as the operation's is held against the line of the bug. With `--rows` a run goes on
where an earlier one was stopped.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.causes.counts import counted
from benchmarks.evidence.causes.planted import Planted, pair_of, planted, planted_text
from benchmarks.evidence.causes.truths import TRUTHS, says, says_some
from parity.backends.processes.configuration import keep_compiled_programs
from parity.bugs.catalogue import BUGS
from parity.bugs.run import Outcome, run
from parity.checks.verdict import Verdict
from parity.files import require_writable, write_atomically
from parity.pair.api import compare
from parity.report.environment import commit, versions
from parity.report.records import Difference

COMMAND = "python -m benchmarks.evidence.causes"
Row = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Plant the bugs, print what was said of each, write the record; return 1 if a cause is wrong."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("ids", nargs="*", metavar="BUG")
    parser.add_argument("--rows", metavar="FILE", help="add each bug's row to this file, and skip those that it has")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    for option, path in (("--json", arguments.json), ("--rows", arguments.rows)):
        if path:
            require_writable(option, path)
    keep_compiled_programs()
    ways = dict(_ways())
    unknown = [name for name in arguments.ids if name not in ways]
    if unknown:
        parser.error(f"got {unknown[0]!r}; expected the name of a bug that is planted in a brought pair")
    rows = list(_rows({name: ways[name] for name in arguments.ids or ways}, arguments.rows))
    print(json.dumps(counted(rows)), file=sys.stderr)
    if arguments.json:
        record = {"command": COMMAND, "commit": commit(), "versions": versions(), "counts": counted(rows), "bugs": rows}
        write_atomically(arguments.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(row["wrong"] for row in rows) else 0


def _ways() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Name of each bug → what makes its row."""
    yield from ((bug.id, partial(_of_catalogue, bug.id)) for bug in BUGS if bug.id in TRUTHS)
    yield from ((bug.id, partial(of_text, bug)) for bug in planted())


def _rows(ways: Mapping[str, Callable[[], Row]], path: str | None) -> Iterator[Row]:
    kept: dict[str, Row] = {}
    if path and Path(path).is_file():
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        kept = {row["id"]: row for row in map(json.loads, lines)}
    for name, make in ways.items():
        if name not in kept:
            kept[name] = make()
            line = json.dumps(kept[name], ensure_ascii=False)
            print(line, flush=True)
            if path:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
        yield kept[name]


def _of_catalogue(name: str) -> Row:
    (outcome,) = run([name])
    return row(outcome)


def row(outcome: Outcome) -> Row:
    """What was said of one bug of the catalogue, beside what is true of it."""
    bug, difference = outcome.bug, outcome.difference
    about = {"id": bug.id, "mechanism": bug.mechanism, "side": bug.side}
    return {
        **about,
        "caught": outcome.caught,
        "placed": outcome.as_expected,
        **answer_row(difference, TRUTHS[bug.id]),
    }


def of_text(bug: Planted) -> Row:
    """What was said of one bug that is planted in a pair's text, beside what is true of it."""
    written = planted_text(bug)
    flax, torch, inputs, *rest = pair_of(bug, written.text)
    options = dict(rest[0]) if rest else {}
    report = compare(flax, torch, inputs, name=bug.id, **options)
    difference = report.first_difference
    named = dict(difference.lines) if difference is not None else {}
    here = {side: named.get(side, "") in written.lines[side] for side in written.lines}
    caught = report.verdict is not Verdict.SAME
    about = {"id": bug.id, "mechanism": bug.what, "side": bug.side, "caught": caught}
    return {
        **about,
        "placed": here.get(bug.side, caught),
        **answer_row(difference, bug.truth),
        "flat": bug.flat,
        "expected": {side: list(places) for side, places in written.lines.items()},
        "at": here,
    }


def answer_row(difference: Difference | None, truth: Sequence[str]) -> Row:
    """What was said of a bug, and whether its cause is right: where several causes are given, they have to say it
    together, and each has to say something of it.

    Args:
        difference: the first difference of the report.
        truth: regular expressions.
    """
    every = [difference, *difference.further] if difference is not None else []
    causes = [f"{each.cause} {each.mend}" for each in every if each.cause]
    fits = bool(causes) and says(truth, " ".join(causes)) and all(says_some(truth, cause) for cause in causes)
    return {
        "place": difference.text if difference else "",
        "cause": difference.cause if difference else "",
        "further": [each.cause for each in every[1:] if each.cause],
        "mend": difference.mend if difference else "",
        "proof": difference.proof if difference else "",
        "lines": dict(difference.lines) if difference else {},
        "suspected": list(difference.suspected) if difference else [],
        "right": fits,
        "wrong": bool(causes) and not fits,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
