"""How a process that trains with others tells its launcher why it ends."""

import json
import os
import time

from parity.files import write_atomically

LAUNCHER, ERROR_FILE = "NETPARITY_LAUNCHER", "TORCHELASTIC_ERROR_FILE"
"""In the environment of a process: the id of our launcher, and where PyTorch's looks for a process's last words."""
LOST = os.EX_TEMPFAIL
"""Exit code of a process that cannot go on as another is gone, stands still or failed: the run can be resumed."""


def tell(words: str, code: int) -> bool:
    """Leave a process's last words for the launcher; whether it is ours and lives, to show them."""
    if place := os.environ.get(ERROR_FILE):
        write_atomically(place, json.dumps({"message": words, "code": code, "timestamp": int(time.time())}))
    return LAUNCHER in os.environ and launcher() == os.getppid()


def launcher() -> int | None:
    """The process that launched this one and watches it, if one did."""
    if LAUNCHER in os.environ:
        return int(os.environ[LAUNCHER])
    return os.getppid() if ERROR_FILE in os.environ else None
