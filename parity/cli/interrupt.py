"""Ctrl-C at once: Python's handler waits while a framework compiles, and what it raises can be lost in a callback."""

import os
import select
import signal
import sys
import threading
from types import FrameType

GRACE = 3
"""Seconds that a command which says where it stopped has for it."""
CODE = 130
SHOW_CURSOR = "\x1b[?25h"


def watch() -> None:
    """From now on Ctrl-C ends this process at once, whatever it is doing. Files are written whole or not at all.

    On Windows Python's own handler stays; a process that was started to ignore Ctrl-C goes on ignoring it.
    """
    if os.name != "posix" or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    threading.Thread(target=_wait, args=(reading,), daemon=True).start()
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _ignored)


def gently() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, for a command that says where it stopped.

    It ends at the next Ctrl-C, or GRACE seconds later.
    """
    if signal.getsignal(signal.SIGINT) is _ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _ignored(number: int, frame: FrameType | None) -> None:
    """Do nothing: the thread that waits has seen the signal."""


def _wait(reading: int) -> None:
    while signal.SIGINT not in os.read(reading, 1):
        pass
    if signal.getsignal(signal.SIGINT) is not _ignored:
        select.select([reading], [], [], GRACE)
    _end()


def _end() -> None:
    """End this process and those that it started, and show the cursor that a spinner has hidden."""
    if (starts := sys.modules.get("parity.backends.processes.started")) is not None:
        starts.STARTING.acquire(timeout=GRACE)
    if (processes := sys.modules.get("multiprocessing")) is not None:
        for process in processes.active_children():
            process.kill()
    cursor = SHOW_CURSOR if os.isatty(2) else ""
    os.write(2, f"{cursor}\nparity: stopped\n".encode() if cursor else b"parity: stopped\n")
    os._exit(CODE)
