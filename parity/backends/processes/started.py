"""Processes that a command starts for its work: how they start beside Ctrl-C, and how they ended."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running

STARTING = threading.Lock()
"""Held while a process starts: Python does not know it yet, and one whose starter ends then says so as an error."""


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """A process that is started inside takes no Ctrl-C before it says how; none is told as an error."""
    with STARTING:
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        ensure_running()  # else the first process starts it, which lets SIGINT through
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ended(code: int) -> str:
    """How a process with that exit code ended, in words; a negative one is a signal's number."""
    if code >= 0:
        return f"the process ended with exit code {code}"
    name = signal.Signals(-code).name
    more = ", as the system does when there is no memory left" if name == "SIGKILL" else ""
    return f"the process died with {name}{more}"
