"""What a process takes of the machine."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.own import peak_bytes


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells it of this program alone")
def test_what_the_starting_program_held_is_not_counted() -> None:
    held = np.ones(2**26)  # 512 MiB
    code = "import json; from benchmarks.speed.own import peak_bytes; print(json.dumps(peak_bytes()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) < held.nbytes / 2 < held.nbytes <= peak_bytes()
