import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def parity() -> Run:
    """Runs the command in a process of its own, its output going to pipes."""

    def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "parity", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)

    return run
