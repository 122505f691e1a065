"""Compares pairs in a process of its own, so that its death costs no more than the rung that was running."""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from parity.backends.processes.started import ended, interrupts_held_back
from parity.errors import UsageError
from parity.pair.arrays import target
from parity.pair.passes.user_errors import broken, nothing
from parity.pair.process import child
from parity.report.listener import Listener
from parity.report.pair import Report

PATIENCE = 0.2
"""Seconds after which a silent process is looked after."""


@dataclass
class Heard:
    """What a process sent.

    Args:
        reports: The reports on pairs that it came to the end of.
        partial: The report so far on the pair that it was at; None if nothing was ruled.
        rung: The number of the rung that was running.
        running: What was running, a noun phrase.
        backward: Whether that computed gradients.
        raised: An error in words, if the process ended with one.
        refused: The error that ended it, if a pair was not what it should be.
    """

    reports: list[Report]
    partial: Report | None = None
    rung: int = 1
    running: str = "the start"
    backward: bool = False
    raised: str = ""
    refused: UsageError | None = None

    def take(self, kind: str, content: Any, name: str, listener: Listener) -> None:
        """Keep a message, and hand it on.

        Args:
            kind, content: The kind of the message and what it holds; `child.main` lists them.
            name: The target that it is about.
            listener: Called with what a person can be shown.
        """
        if kind == "note":
            listener.note(content)
        elif kind == "running":
            self.rung, self.running, self.backward = content
            listener.running(name, self.running)
        elif kind == "ruled":
            self.partial = content
            listener.ruled(name, content.rungs)
        elif kind == "report":
            self.reports.append(content)
            listener.ended(name, content.rungs)
            self.partial, self.rung, self.running, self.backward = None, 1, "the start", False
        elif kind == "raised":
            self.raised = content
        elif kind == "usage":
            self.refused = UsageError(content)


def check(pairs: Sequence[child.Asked], listener: Listener) -> list[Report | UsageError]:
    """The reports on pairs. Where the process died, the rung that was running is inconclusive.

    Args:
        pairs: What is asked of each pair.
        listener: Called as the checks go on.

    Returns:
        A report for each pair, or the error where it or an option of it is not what it should be.

    Raises:
        UsageError: A target is not there.
    """
    for asked in pairs:
        target.require_function(asked.target)
    done: list[Report | UsageError] = []
    while len(done) < len(pairs):
        heard, end = _run(pairs[len(done) :], listener)
        done += heard.reports
        if len(done) < len(pairs):
            done.append(heard.refused or _saved(pairs[len(done)], heard, end, listener))
    return done


def _run(pairs: Sequence[child.Asked], listener: Listener) -> tuple[Heard, str]:
    """What a process sent about these pairs, and how it ended."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child.main, args=(theirs, list(pairs)))
    with interrupts_held_back():
        process.start()
    theirs.close()
    heard = Heard([])

    def take(kind: str, content: Any) -> None:
        heard.take(kind, content, pairs[min(len(heard.reports), len(pairs) - 1)].target, listener)

    try:
        _hear(ours, process.is_alive, take)
        process.join()
        return heard, heard.raised or ended(process.exitcode or 0)
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _hear(connection: Connection, alive: Callable[[], bool], take: Callable[[str, Any], None]) -> None:
    """Take every message until the process is no longer there; its own children may keep the connection open."""
    try:
        while True:
            lives = alive()
            if connection.poll(PATIENCE):
                take(*connection.recv())
            elif not lives:
                return
    except (EOFError, ConnectionError):
        return


def _saved(asked: child.Asked, heard: Heard, end: str, listener: Listener) -> Report:
    """The report on a pair whose process died. If it was in a backward pass before the gradients were ruled on, all
    that needs none is compared in another process."""
    reason = f"{end} during {heard.running}"
    name, seed = asked.target, asked.places.get("seed")
    ruled = {} if heard.partial is None else {rung.number for rung in heard.partial.rungs}
    if not heard.backward or 3 in ruled or not asked.places.get("backward", True):
        return broken(heard.partial or nothing(name, seed), heard.rung, reason)
    listener.note(f"{name}: {reason}; again without backward passes")
    again, other = _run([replace(asked, places={**asked.places, "backward": False})], listener)
    if again.reports:
        return broken(again.reports[0], 3, reason)
    return broken(again.partial or nothing(name, seed), again.rung, f"{other} during {again.running}")
