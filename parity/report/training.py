"""A training run for a person: a progress bar at a terminal, lines elsewhere; then a summary."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

LINE_EVERY = 10.0  # seconds between two lines, where there is no bar


class Bar:
    """Shows how a run goes on.

    Args:
        out: a console, on stderr.
        title: the name of the run, which begins every line.
        steps: number of steps of the whole run.
        first: the step at which it begins, 0 unless it is resumed.
    """

    def __init__(self, out: Console, title: str, steps: int, first: int = 0) -> None:
        self._out, self._title, self._steps = out, title, steps
        self._train, self._evaluations = "", dict[str, str]()
        self._printed, self._begun, self._first = time.monotonic(), time.monotonic(), first
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[now]}")
        self._bar = Progress(*columns, TimeRemainingColumn(), console=out, disable=not out.is_terminal)
        self._task = self._bar.add_task(title, total=steps, completed=first, now="")

    def __enter__(self) -> "Bar":
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)

    def trained(self, line: Mapping[str, Any]) -> None:
        """Show a line of the training's metrics."""
        self._train = f"loss {line['loss']:.4f} accuracy {line['accuracy']:.3f} {line['samples_per_second']:,.0f}/s"
        now = " ".join([self._train, *self._evaluations.values()])
        self._bar.update(self._task, completed=line["step"], now=now)
        if not self._out.is_terminal and time.monotonic() - self._printed > LINE_EVERY:
            self._say(line["step"], f"{self._train}, {self._left(line['step'])}")

    def evaluated(self, line: Mapping[str, Any]) -> None:
        """Show a line of an evaluation."""
        self._evaluations[line["split"]] = f"{line['split']} {line['accuracy']:.3f}"
        if not self._out.is_terminal and time.monotonic() - self._printed > LINE_EVERY:
            self._say(line["step"], f"{line['split']}: loss {line['loss']:.4f} accuracy {line['accuracy']:.3f}")

    def _say(self, step: int, what: str) -> None:
        self._printed = time.monotonic()
        self._out.print(f"{self._title} {step}/{self._steps}: {what}")

    def _left(self, step: int) -> str:
        seconds = (time.monotonic() - self._begun) / (step - self._first) * (self._steps - step)
        return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"


def show_summary(out: Console, summary: Mapping[str, Any]) -> None:
    """The end of a run: loss and accuracy of each split, then the run in a line."""
    table = Table("split", "loss", "accuracy", "samples", box=None)
    for split in ("training", "train", "validation", "test"):
        if score := summary.get(split):
            table.add_row(split, f"{score['loss']:.4f}", f"{score['accuracy']:.4f}", f"{score['samples']:,}")
    out.print(table)
    speed = summary["samples_per_second"]
    device = summary["device"] + (f" × {summary['devices']}" if summary["devices"] > 1 else "")
    out.print(
        f"{summary['recipe']} on {summary['data']} in {summary['backend']} ({summary['precision']}, "
        f"{device}), seed {summary['seed']}: {summary['steps']:,} steps, {summary['seconds']:.1f} s"
        + (f", {speed:,.0f} samples/s" if speed else ""),
        soft_wrap=True,
    )
