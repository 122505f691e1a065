"""What else the machine does meanwhile."""

import os
import resource
import time
from pathlib import Path


class Load:
    """Watches the machine from its making on."""

    def __init__(self) -> None:
        self._started, self._busy, self._own = time.perf_counter(), _busy(), _own()

    def others(self) -> float | None:
        """Cores that other processes kept busy on average since then; None where the system does not tell."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        used = (busy - self._busy) - (_own() - self._own)
        return max(0.0, used / (time.perf_counter() - self._started))


def _busy() -> float | None:
    """Seconds that all cores together have worked since the start of the machine."""
    stat = Path("/proc/stat")
    if not stat.is_file():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
