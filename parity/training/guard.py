"""A run on several devices ends, rather than wait for ever for one that is gone."""

import os
import threading
from collections.abc import Callable

from parity.backends.processes.exit_message import launcher

TICK = 0.5  # seconds


class Guard:
    """Watches this process in a thread of its own, as its other threads may wait in a framework for ever.

    Time in which the process is suspended does not count.

    Args:
        timeout: seconds within which `pulse` must be called.
        end: ends the process; it is called with the reason when `pulse` was not called in time or the launcher is gone.
    """

    def __init__(self, timeout: float, end: Callable[[str], object]) -> None:
        self._timeout, self._left, self._end = timeout, timeout, end
        self._launcher, self._over = launcher(), threading.Event()

    def pulse(self) -> None:
        """Note that some work was done: the time begins anew."""
        self._left = self._timeout

    def __enter__(self) -> "Guard":
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(TICK):
            self._left -= TICK
            if (why := self._fault()) is not None:
                self._end(why)
                return

    def _fault(self) -> str | None:
        if self._launcher not in (None, os.getppid()):
            return "the process that launched the devices is gone"
        if self._left <= 0:
            return f"no step was done for {self._timeout:g} s (--timeout): a device stands still, or never came"
        return None
