"""How much longer a command takes, by how long it took when it was last run with the same words."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from typing_extensions import TypedDict

from parity import documents
from parity.documents import NotNegative
from parity.errors import UsageError
from parity.files import cache_folder, write_atomically

KEPT = 100
"""Commands whose last run is remembered."""
SURE = 1
"""Seconds of the last run after which this run's speed is taken beside it."""
FASTEST, SLOWEST = 0.2, 5.0
"""How far this run's speed may be from the last one's, as a factor of its time."""


class Run(TypedDict):
    """A run: what was done → when that first began, and all of it, in seconds."""

    steps: dict[str, NotNegative]
    seconds: NotNegative


class Pace:
    """The time that a command takes.

    Args:
        words: the words of the command line; with the folder that it runs in they say which run it is. None for a
            command whose time is not kept.
        clock: gives seconds.
    """

    def __init__(self, words: Sequence[str] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = None if words is None else _place(words)
        self._last = None if self._file is None else _read(self._file)
        self._clock, self._began = clock, clock()
        self._steps: dict[str, float] = {}
        self._reached, self._at = 0.0, 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return self._clock() - self._began

    def step(self, what: str) -> None:
        """Something begins to be done."""
        now = self._steps.setdefault(what, self.elapsed)
        if self._last is not None and self._last["steps"].get(what, 0.0) > self._reached:
            self._reached, self._at = self._last["steps"][what], now

    def left(self) -> float | None:
        """Seconds that are left, negative once the last run's are over; None if the last run is not known."""
        if self._last is None:
            return None
        speed = self._at / self._reached if self._reached > SURE else 1.0
        rest = (self._last["seconds"] - self._reached) * min(max(speed, FASTEST), SLOWEST)
        return rest - (self.elapsed - self._at)

    def keep(self) -> None:
        """The command came to its end: remember how long it took. Where nothing can be written, nothing is kept."""
        if self._file is None:
            return
        run: Run = {"steps": self._steps, "seconds": self.elapsed}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(run))
            _forget(self._file.parent)
        except (OSError, UsageError):
            return


def _place(words: Sequence[str]) -> Path:
    name = hashlib.sha256(json.dumps([str(Path.cwd()), *words]).encode()).hexdigest()
    return cache_folder() / "pace" / f"{name[:32]}.json"


def _read(file: Path) -> Run | None:
    """The last run; None if none is known."""
    if not file.is_file():
        return None
    try:
        run: Run = documents.read(file, Run, "")
    except UsageError:
        return None
    return run


def _forget(folder: Path) -> None:
    """Remove the oldest of the runs that are more than are kept."""
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
