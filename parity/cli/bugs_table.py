"""The table of bugs against rungs, at the terminal and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parity.bugs.run import Outcome
from parity.checks import ladder
from parity.files import write_atomically
from parity.report.environment import versions
from parity.report.terminal import MARKS, STYLES

FORMAT = "netparity-bugs/1"


def show(out: Console, outcomes: Sequence[Outcome]) -> None:
    """Print one row for each bug: the verdict of each rung, if it was climbed, and the layer named; then the sums."""
    columns = [number for number in ladder.NAMES if any(r.number == number for o in outcomes for r in o.rungs)]
    table = Table("bug", "in", *map(str, columns), "layer named", "as it must", box=None)
    for outcome in outcomes:
        bug, headline = outcome.bug, outcome.headline
        verdicts = {rung.number: rung.verdict for rung in outcome.rungs}
        marks = [f"[{STYLES[v]}]{MARKS[v]}[/]" if (v := verdicts.get(n)) else "" for n in columns]
        layer = outcome.layer if headline else "– (control)" if bug.is_control else "–"
        wanted = "control: no alarm" if bug.is_control else f"{bug.verdict} on {bug.rung} at {bug.layer}"
        table.add_row(bug.id, bug.side, *marks, layer, "yes" if outcome.as_expected else f"[bold red]NO, {wanted}[/]")
    out.print(table)
    out.print("rungs: " + " · ".join(f"{number} {ladder.NAMES[number]}" for number in columns), style="dim")
    out.print("marks: " + " · ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items()) + "\n", style="dim")
    out.print(summary(outcomes), soft_wrap=True)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Say how many bugs were caught, located and (where possible) named, and how many controls raised an alarm."""
    bugs = [outcome for outcome in outcomes if not outcome.bug.is_control]
    controls = [outcome for outcome in outcomes if outcome.bug.is_control]
    caught, located = sum(o.caught for o in bugs), sum(o.as_expected for o in bugs)
    places = {
        "in brought pairs": [o for o in bugs if o.bug.plant],
        "on several devices": [o for o in bugs if o.bug.devices],
    }
    named = [f"{sum(map(_named, group))} of {len(group)} {place}" for place, group in places.items() if group]
    return (
        f"{caught} of {len(bugs)} bugs caught, {located} at the rung and the layer they belong to"
        + (f", the cause named in words for {' and '.join(named)}" if named else "")
        + f"; {sum(o.caught for o in controls)} of {len(controls)} controls raised an alarm"
    )


def _named(outcome: Outcome) -> bool:
    return outcome.cause != ""


def write(outcomes: Sequence[Outcome], path: str | Path) -> None:
    """Write the outcomes to a JSON file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    rows = [
        {
            **asdict(outcome.bug),
            "as_expected": outcome.as_expected,
            "rungs": {str(rung.number): rung.verdict for rung in outcome.rungs},
            "named": outcome.layer or None,
            "cause": outcome.cause or None,
            "evidence": list(outcome.bug.evidence),
        }
        for outcome in outcomes
    ]
    document = {"format": FORMAT, "summary": summary(outcomes), "versions": versions(), "bugs": rows}
    write_atomically(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
