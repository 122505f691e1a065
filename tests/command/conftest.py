import subprocess
import sys
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def parity() -> Run:
    """Runs the command in a process of its own, its output going to pipes."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "parity", *arguments], capture_output=True, text=True, check=False)

    return run
