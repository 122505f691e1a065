"""Progress of a command, on stderr: a live view at a terminal, lines elsewhere."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.live import Live

from parity.cli.shown.live import View
from parity.cli.shown.pace import Pace
from parity.report import terminal
from parity.report.listener import Listener

A_SECOND = 8
"""Times that the view is drawn."""


class ShownProgress:
    """Shows what is being done.

    Args:
        quiet: Whether to show nothing.
        names: What each network is called in messages → what it is called for people.
        words: The words of the command line, by which its last run is known; None if its time is not to be kept.
    """

    def __init__(self, quiet: bool = False, names: Mapping[str, str] | None = None, words: Sequence[str] | None = None):
        self._quiet = quiet
        self._console = terminal.console(stderr=True)
        self._pace = Pace(words)
        self._view = View(names or {}, self._pace)
        view = Live(self._view, console=self._console, transient=True, refresh_per_second=A_SECOND)
        self._live = view if draws(self._console) and not quiet else None

    def __enter__(self) -> "ShownProgress":
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, kind: Any, *exception: Any) -> None:
        if self._live is not None:
            self._live.__exit__(kind, *exception)
        if kind is None:
            self._pace.keep()

    def note(self, text: str) -> None:
        """Say what is being done."""
        self._view.note(text)
        if not self._quiet and self._live is None:
            self._console.print(text, markup=False)

    @property
    def listener(self) -> Listener:
        """What checks call as they go on."""
        return Listener(self.note, self._view.running, self._view.ruled, self._view.ended)


def draws(console: Console) -> bool:
    """Whether a view that changes can be drawn there: at a terminal that is no dumb one, and not in CI, whose logs keep
    every frame."""
    return console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI")
