"""The live view of a check at a terminal: its networks, their rungs and layers, what runs now, and the time left."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from parity.checks.verdict import Finding, Rung, worst
from parity.cli.shown.pace import Pace
from parity.report.terminal import MARKS, STYLES

MOST = 12
"""Networks that are shown: those that are at work first, then those that are done."""
OVERDUE = 5
"""Seconds after which a run is said to take longer than the last one."""
LAYERS = 60
"""Layers of which a mark is shown; of more, as many next to each other share one, the worst of them."""


class Row:
    """One network."""

    def __init__(self, name: str) -> None:
        self.name, self.doing, self.detail = name, "", ""
        self.rungs: Sequence[Rung] = ()
        self.is_done = False

    @property
    def rank(self) -> int:
        """The smaller, the sooner it is shown."""
        return 0 if self.doing and not self.is_done else 1 if self.is_done else 2


class View:
    """What is shown; rich asks for it several times a second.

    Args:
        names: what each network is called in messages → what it is called for people; empty where a command does one
            thing after the other.
        pace: the time that the command takes.
    """

    def __init__(self, names: Mapping[str, str], pace: Pace) -> None:
        self._rows = {name: Row(shown) for name, shown in names.items()}
        self._pace, self._words = pace, "starting"
        self._spinner = Spinner("dots")

    def note(self, text: str) -> None:
        """Show what is done now: of a network if the text begins with its name and a colon."""
        name, _, doing = text.partition(": ")
        self._pace.step(text)
        self._words = text
        if name in self._rows:
            self._rows[name].doing, self._rows[name].detail = doing, ""

    def running(self, name: str, what: str) -> None:
        """Show what is computed now."""
        self._pace.step(f"{name}: {what}")
        if name in self._rows:
            self._rows[name].detail = what

    def ruled(self, name: str, rungs: Sequence[Rung]) -> None:
        """Show the verdicts of a network's rungs."""
        if name in self._rows:
            self._rows[name].rungs = rungs

    def ended(self, name: str, rungs: Sequence[Rung]) -> None:
        """Show that a network's check has come to its end."""
        self.ruled(name, rungs)
        if name in self._rows:
            self._rows[name].is_done = True

    def __rich__(self) -> RenderableType:
        """The view as it is now."""
        if not any(row.doing for row in self._rows.values()):
            return self._line(self._words)
        rows = sorted(self._rows.values(), key=lambda row: row.rank)
        grid = Table.grid(padding=(0, 2))
        for row in rows[:MOST]:
            grid.add_row(Text(row.name, "bold"), _marks(row.rungs), Text(_doing(row), "dim", no_wrap=True))
        strips = [_layers(row) for row in rows if row.rank == 0]
        more = [Text(f"and {len(rows) - MOST} more", "dim")] if len(rows) > MOST else []
        return Group(grid, *more, *filter(None, strips), self._line(self._count()))

    def _count(self) -> str:
        done = sum(row.is_done for row in self._rows.values())
        return f"{done} of {len(self._rows)} done" if len(self._rows) > 1 else ""

    def _line(self, words: str) -> RenderableType:
        self._spinner.update(text=Text(" · ".join(filter(None, (words, *self._times())))))
        return self._spinner

    def _times(self) -> Iterable[str]:
        yield clock(self._pace.elapsed)
        left = self._pace.left()
        if left is not None:
            late = "longer than last time" if left < -OVERDUE else "a moment left"
            yield f"about {clock(left)} left" if left >= 1 else late


def clock(seconds: float) -> str:
    """Seconds as "0:07", "12:30" or "1:02:03"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _doing(row: Row) -> str:
    if row.is_done:
        return str(worst(rung.verdict for rung in row.rungs))
    return f"{row.doing}: {row.detail}" if row.detail else row.doing or "waits"


def _marks(rungs: Sequence[Rung]) -> Text:
    return Text(" ").join(Text(MARKS[rung.verdict], STYLES[rung.verdict]) for rung in rungs)


def _layers(row: Row) -> Text | None:
    """A mark for each layer's output, in the order in which they run; None where none was compared yet."""
    outputs = [f for rung in row.rungs for f in rung.findings if _is_layer(f)]
    if not outputs:
        return None
    each = -(-len(outputs) // LAYERS)
    groups = [outputs[start : start + each] for start in range(0, len(outputs), each)]
    verdicts = [worst(finding.verdict for finding in group) for group in groups]
    title = f"{row.name}, layers: " if each == 1 else f"{row.name}, layers, {each} to a mark: "
    return Text.assemble((title, "dim"), *((MARKS[verdict], STYLES[verdict]) for verdict in verdicts))


def _is_layer(finding: Finding) -> bool:
    return finding.quantity == "output" and finding.mode in ("", "evaluation") and not finding.isolated
