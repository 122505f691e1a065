"""Measures both sides of the referee's threshold: the largest gap of correct twins, and the smallest of a planted bug.

`python -m benchmarks.evidence.margins [--seeds N] [--json FILE]`. The correct twins are the study's networks at full
size, the planted bugs those of `parity bugs`; gaps are in units of the rounding that is expected. Took 3 min 39 s for
5 seeds on 2 cores, with compiled programs kept from before.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from parity import recipes
from parity.backends.processes.configuration import keep_compiled_programs
from parity.bugs.run import Outcome, run
from parity.checks.referee import MARGIN
from parity.checks.verdict import Finding, Rung, Verdict
from parity.files import write_atomically
from parity.report.environment import versions
from parity.twins.check import check

RUNGS = (2, 3, 4, 5, 6)
"""The rungs that the threshold rules; structure and data are equal or not, initialisation is a statistical test."""


def main(argv: Sequence[str]) -> int:
    """Measure, print, and write the record; return 0."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.evidence.margins", description="both sides of the referee's threshold"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    keep_compiled_programs()
    correct = [row for seed in range(arguments.seeds) for name in recipes.names() for row in _correct(name, seed)]
    planted = [row for outcome in run([], progress=_note) if not outcome.bug.is_control for row in _planted(outcome)]
    largest, smallest = max(correct, key=_share), min(planted, key=_share)
    print(f"correct twins: {len(correct)} rungs, largest gap {largest['share']:.3g} × rounding ({largest['where']})")
    print(f"planted bugs: {len(planted)}, smallest gap {smallest['share']:.3g} × rounding ({smallest['where']})")
    print(f"threshold {MARGIN:.0f}: {MARGIN / largest['share']:.3g} and {smallest['share'] / MARGIN:.3g} times away")
    if arguments.json:
        command = f"python -m benchmarks.evidence.margins --seeds {arguments.seeds}"
        record = {
            "command": command,
            "versions": versions(),
            "threshold": MARGIN,
            "largest of correct twins": largest,
            "smallest of planted bugs": smallest,
            "correct": correct,
            "planted": sorted(planted, key=_share),
        }
        write_atomically(arguments.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return 0


def _correct(name: str, seed: int) -> Iterable[dict[str, Any]]:
    result = check(recipes.load(name), rungs=RUNGS, seed=seed, progress=_note)
    for rung in result.rungs:
        if rung.number in RUNGS:
            yield _row(f"{name}, seed {seed}", rung, rung.findings)


def _planted(outcome: Outcome) -> Iterable[dict[str, Any]]:
    """The finding that gives the bug away, where that is a finite gap between numbers."""
    rung = outcome.headline
    if rung is None or rung.number not in RUNGS or rung.headline is None:
        return
    if rung.headline.verdict is Verdict.DIFFERENT and rung.headline.share < float("inf"):
        yield _row(outcome.bug.id, rung, [rung.headline])


def _row(what: str, rung: Rung, findings: Iterable[Finding]) -> dict[str, Any]:
    most = max(findings, key=lambda finding: finding.share)
    where = f"{what}, rung {rung.number}: {most.quantity} {most.name} {most.mode}".strip()
    return {"where": where, "rung": rung.number, "share": most.share}


def _share(row: dict[str, Any]) -> float:
    return row["share"]


def _note(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
