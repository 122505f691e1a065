"""Progress of a command, on stderr."""

from contextlib import nullcontext
from typing import Any

from parity.report import terminal


class ShownProgress:
    """Shows what is being done, on stderr: a spinner at a terminal, lines elsewhere.

    Args:
        quiet: Whether to show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = terminal.console(stderr=True)
        spins = self._console.is_terminal and not quiet
        self._status: Any = self._console.status("starting") if spins else nullcontext()

    def __enter__(self) -> "ShownProgress":
        self._status.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._status.__exit__(*exception)

    def note(self, what: str) -> None:
        """Say what is being done."""
        if self._quiet:
            return
        if self._console.is_terminal:
            self._status.update(what)
        else:
            self._console.print(what)
