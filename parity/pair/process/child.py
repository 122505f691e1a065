"""The process in which pairs are compared: what it rules is sent to the command as soon as it is ruled."""

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from parity.backends.processes.configuration import keep_compiled_programs, leave_memory
from parity.errors import UsageError
from parity.interface.user_code import place_in_user_code, traceback_of, words
from parity.pair.arrays import target
from parity.pair.arrays.patched import patched
from parity.pair.options import Checks, Request, with_former
from parity.pair.passes.progress import Progress
from parity.report.pair import Report


@dataclass(frozen=True)
class Asked:
    """What the command asks of a pair, before what the pair's own function says.

    Args:
        target: The function that makes the pair, as "path/to/file.py:function".
        checks: Fields of `Checks` by name, those that were given.
        places: Fields of `Request` by name, those that were given.
        texts: Path of each file of the user's that is run with another text than its own → that text.
    """

    target: str
    checks: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def checked(asked: Asked, watch: Progress) -> Report:
    """The report on the pair that a function in a file makes.

    Args:
        asked: What the command asks; it goes before the options that the function returns.
        watch: Told how the check goes on.

    Raises:
        UsageError: The target or an option of it is not what it should be.
    """
    with patched(asked.texts):
        return _checked(asked, watch)


def _checked(asked: Asked, watch: Progress) -> Report:
    from parity.pair.api import watched

    name = asked.target
    target.require_file(name)
    keep_compiled_programs()
    if asked.places.get("device", "cpu") != "cpu":
        leave_memory()  # which both frameworks want some of
    watch.step(1, "making the networks")
    watch.began(f"the call of {name}")
    flax, torch, inputs, options = target.load(name)
    grouped = with_former(options)
    checks = _with(grouped.pop("checks"), asked.checks)
    return watched(flax, torch, inputs, Request(**{**grouped, **asked.places, "name": name, "checks": checks}), watch)


def _with(checks: Checks, asked: Mapping[str, Any]) -> Checks:
    """What is checked, as the command asks; it accepts what the function accepts and more."""
    accepted = dict.fromkeys([*checks.accept, *asked.get("accept", ())])
    return replace(checks, **{**asked, "accept": [*accepted]})


class Sender(Progress):
    """Sends all that it is told of a pair to the command.

    Args:
        connection: Takes (kind, content), see `main`.
        name: The name of the pair.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(lambda text: connection.send(("note", f"{name}: {text}")))
        self._connection = connection

    def began(self, what: str, backward: bool = False) -> None:
        """Send what runs, the number of the rung that it is for, and whether gradients are computed."""
        self._connection.send(("running", (self.rung, what, backward)))

    def ruled(self, report: Callable[[], Report]) -> None:
        """Send the report so far."""
        super().ruled(report)
        self._connection.send(("ruled", report()))


def main(connection: Connection, pairs: Sequence[Asked]) -> None:
    """Compare one pair after the other and send the reports; the first that cannot be compared is the last.

    Args:
        connection: Takes (kind, content): "note", "running" and "ruled" on the way; "report" at the end of each pair;
            "usage" (the message of a UsageError) or "raised" (another error, in words) where it ends early.
        pairs: What the command asks of each pair.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the command says that it was stopped
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # the command held it back
    faulthandler.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for asked in pairs:
        try:
            connection.send(("report", checked(asked, Sender(connection, asked.target))))
        except UsageError as error:
            connection.send(("usage", str(error)))
            return
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            if not asked.texts:  # with which a patch is tried, whose failure is told by who tries it
                print(traceback_of(error), end="", file=sys.stderr)
            connection.send(("raised", f"{words(error)}{place_in_user_code(error)}"))
            return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
