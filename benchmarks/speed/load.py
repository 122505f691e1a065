"""The load that other processes put on the machine during a measurement."""

import os
import resource
import time
from pathlib import Path


class Load:
    """Measures the load of other processes from the object's making on."""

    def __init__(self) -> None:
        self._started, self._busy, self._used = time.perf_counter(), _busy(), _own_seconds()

    def others(self) -> float | None:
        """The number of cores that others kept busy on average since then; None where the system does not tell."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        used = (busy - self._busy) - (_own_seconds() - self._used)
        return max(0.0, used / (time.perf_counter() - self._started))


def _busy() -> float | None:
    """The seconds that all cores together have worked since the machine's start; None where no /proc tells."""
    stat = Path("/proc/stat")
    if not stat.is_file():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
