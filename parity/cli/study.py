"""`parity reproduce`: the study again, experiment by experiment."""

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

from parity.backends.processes.configuration import keep_compiled_programs
from parity.checks.claims import Ruling
from parity.errors import UsageError, unknown_name
from parity.report import terminal
from parity.study import beyond, circles, estimate, palindromes, points, record
from parity.study.images import experiment as images
from parity.study.part import Part, Setting
from parity.study.runs import Runs
from parity.study.scale import SCALES

EXPERIMENTS: dict[str, ModuleType] = {
    "points": points,
    "circles": circles,
    "palindromes": palindromes,
    "beyond": beyond,
    "images": images,
}
STYLES = {
    Ruling.CONFIRMED: "green",
    Ruling.REFUTED: "bold red",
    Ruling.UNDECIDED: "yellow",
    Ruling.NOT_MEASURABLE: "yellow",
}
MARKS = {Ruling.CONFIRMED: "✓", Ruling.REFUTED: "✗", Ruling.UNDECIDED: "≈", Ruling.NOT_MEASURABLE: "?"}


def run(arguments: argparse.Namespace, note: Callable[[str], None]) -> int:
    """Reproduce the named experiments, all if none is named; return 0 when all are done, whatever their rulings."""
    chosen = list(dict.fromkeys(arguments.experiments)) or list(EXPERIMENTS)
    for name in chosen:
        if name not in EXPERIMENTS:
            raise unknown_name("experiment", name, EXPERIMENTS)
    folder = _folder(arguments)
    keep_compiled_programs()
    runs = Runs(folder / "runs", arguments.device, arguments.data_dir, note)
    setting = Setting(runs, SCALES[arguments.scale], arguments.data, train=not arguments.so_far)
    if arguments.so_far and chosen != ["images"]:
        raise UsageError(f"--so-far is for images, got {', '.join(chosen)}; say parity reproduce images --so-far")
    if setting.train:
        note("measuring how long it will take")
        left = estimate.seconds(runs, [plan for name in chosen for plan in EXPERIMENTS[name].plans(setting)])
        note(f"{', '.join(chosen)} at scale {arguments.scale}: about {estimate.in_words(left)} of training to do")
    for name in chosen:
        _reproduce(name, setting, folder, arguments.scale, note)
    return 0


def _reproduce(name: str, setting: Setting, folder: Path, scale: str, note: Callable[[str], None]) -> None:
    started = time.perf_counter()
    setting.runs.commits.clear()
    part: Part = EXPERIMENTS[name].run(setting)
    command = shlex.join(["parity", *sys.argv[1:]])
    seconds, commits = time.perf_counter() - started, setting.runs.commits
    record.add(folder, name, part, scale=scale, command=command, seconds=seconds, commits=commits)
    out = terminal.console()
    show(out, name, part)
    out.print(
        f"{folder / record.RECORD}, {folder / record.TABLE} and figures are written\n", style="dim", soft_wrap=True
    )


def show(out: Console, name: str, part: Part) -> None:
    """Print the claims of an experiment with their measurements and rulings, then rung 9."""
    table = Table("", f"{name}: claim", "measured", "verdict", box=None)
    for claim in part.claims:
        mark = f"[{STYLES[claim.ruling]}]{MARKS[claim.ruling]}[/]"
        measured = claim.measured + (f" [dim]({claim.why})[/]" if claim.why else "")
        table.add_row(mark, claim.claim, measured, f"[{STYLES[claim.ruling]}]{claim.ruling}[/]")
    out.print(table)
    findings: Sequence[Any] = [finding for rung in part.outcomes for finding in rung.findings]
    if findings:
        outcomes = Table("", "rung 9, outcome", "", box=None)
        for finding in findings:
            style = terminal.STYLES[finding.verdict]
            outcomes.add_row(f"[{style}]{terminal.MARKS[finding.verdict]}[/]", finding.name, finding.reason)
        out.print(outcomes)


def _folder(arguments: argparse.Namespace) -> Path:
    """Make the folder of the reproduction, which may hold parts of it already."""
    folder = Path(arguments.out or f"reproduction-{arguments.scale}")
    try:
        (folder / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}; name a folder with --out") from error
    before = record.read(folder)
    if before and before["scale"] != arguments.scale:
        raise UsageError(f"{folder} holds a reproduction at scale {before['scale']}; name another folder with --out")
    return folder
