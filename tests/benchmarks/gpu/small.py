"""A part that takes no time: `python -m tests.benchmarks.gpu.small WHAT OUT`."""

import json
import subprocess
import sys
import time
from pathlib import Path


def main(what: str, out: str) -> int:
    """Write something, fail, or start a process that outlives a minute, and wait; return the exit code."""
    if what == "fail":
        print("it is broken")
        return 1
    if what == "hang":
        child = subprocess.Popen(["sleep", "600"])
        print(f"child {child.pid}", flush=True)
        time.sleep(600)
    Path(out).write_text(json.dumps({"what": what}))
    return 3 if what == "three" else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
