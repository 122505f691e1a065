"""The running of a worker's job, or of another module, in a fresh process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.contestants import entry
from benchmarks.speed.worker import Job

TIMEOUT = 1800
TAIL = 600  # characters of what a process said last


class ProcessError(Exception):
    """A job's process failed; the message is the end of its error output."""


def run(job: Job, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a job in a fresh process and return its result.

    Args:
        job: the job; the file of its result is made anew.
        environment: variables beside the contestant's own.

    Raises:
        ProcessError: it failed, or took longer than half an hour.
    """
    variables = {**threads_of(job.threads), **dict(entry(job.contestant).environment), **(environment or {})}
    return launch(["benchmarks.speed.worker", json.dumps(asdict(job))], Path(job.out), variables)


def launch(command: Sequence[str], out: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a module in a fresh process and return the JSON that it writes.

    Args:
        command: name of the module, and its arguments.
        out: the file that it writes; made anew.
        environment: variables beside this process's.

    Raises:
        ProcessError: it failed, or took longer than half an hour.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    variables, command = {**os.environ, **environment}, [sys.executable, "-m", *command]
    try:
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise ProcessError(f"took longer than {TIMEOUT} s") from error
    if done.returncode or not out.is_file():
        raise ProcessError(_last(done.stderr) or f"exit code {done.returncode}")
    return json.loads(out.read_text())


def threads_of(threads: int) -> dict[str, str]:
    """Environment variables that give every library so many threads; XLA takes as many as the process has cores."""
    return {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][-TAIL:] if lines else ""
