"""Who is told how a check goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from parity.interface.user_code import raising
from parity.report.pair import Report

Note = Callable[[str], None]


def silent(text: str) -> None:
    """Tell nobody what is being done."""
    del text


class Progress:
    """Told how a check goes on. This one hands on what is said for people, and keeps which rung it is for and what was
    ruled.

    Args:
        note: Told in a few words what is being done.
    """

    def __init__(self, note: Note = silent) -> None:
        self.note = note
        self.rung = 1
        self._report: Callable[[], Report] | None = None

    def step(self, rung: int, text: str) -> None:
        """Work for the rung of that number begins; `text` says in a few words what is done."""
        self.rung = rung
        self.note(text)

    def began(self, what: str, backward: bool = False) -> None:
        """The users' code, or a framework's, begins to run: where it happens if the process dies.

        Args:
            what: What runs, a noun phrase.
            backward: Whether gradients are computed.
        """

    @contextmanager
    def running(self, what: str, backward: bool = False) -> Iterator[None]:
        """The users' code, or a framework's, runs inside; the arguments are those of `began`.

        Raises:
            UserCodeError: It raised something.
        """
        self.began(what, backward)
        with raising(what, backward):
            yield

    def ruled(self, report: Callable[[], Report]) -> None:
        """One more rung was ruled; `report` makes the report so far."""
        self._report = report

    def so_far(self) -> Report | None:
        """The report on what was ruled so far; None if nothing was."""
        return None if self._report is None else self._report()
