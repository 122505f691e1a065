"""What this process takes of the machine."""

import os
import re
import resource
from pathlib import Path


def keep_to_cores(count: int) -> None:
    """Run on so many of the cores that the process may use, the first ones."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def peak_bytes() -> int:
    """Most memory that this process has held.

    Linux counts it in VmHWM of this program alone; `ru_maxrss`, for other systems, also has what the program that
    started this one held before it did.
    """
    status = Path("/proc/self/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE) if status.is_file() else None
    kibibytes = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * 1024
