"""The cores and the memory that this process takes of the machine."""

import os
import re
import resource
from pathlib import Path


def keep_to_cores(count: int) -> None:
    """Keep this process to the first `count` of the cores that it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def peak_bytes() -> int:
    """The most memory in bytes that this process has held.

    Linux counts it in VmHWM of this program alone; `ru_maxrss`, for other systems, also has what the program that
    started this one held before it did.
    """
    status = Path("/proc/self/status")
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE) if status.is_file() else None
    kibibytes = int(match[1]) if match else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * 1024
