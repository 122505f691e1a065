"""Runs on several devices, in processes of their own."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from numpy.typing import NDArray

from parity.checks.referee import rule_drift
from parity.training import checkpoint, make_twin, resume
from parity.training.loop import Silent
from tests.training.small import at, joined, last, numbers
from tests.training.test_cross import moved

TORCHRUN = ("torch.distributed.run", "--nproc-per-node=2", "-m", "parity")


def parity(*words: str, by: tuple[str, ...] = ("parity",), code: int = 0) -> str:
    """Run the command; what it said on stderr."""
    found = subprocess.run(
        [sys.executable, "-m", *by, *words], capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert found.returncode == code, (found.returncode, found.stderr)
    return found.stderr


def end(run: Path) -> NDArray:
    return joined(numbers(last(run)))


def moved_end(run: Path, backend: str, out: Path) -> NDArray:
    """The end on one device from a start that is moved by one ulp."""
    found = checkpoint.load(at(run, 0))
    resume(replace(found, state=moved(found.state)), make_twin(found.plan, backend), Silent(), out=out)
    return end(out)


def verdict(one: Path, several: Path, out: Path, backend: str = "torch") -> str:
    """The referee's on the end of a run on several devices, against that on one and its own drift."""
    values = {"one": end(one), "several": end(several)}
    return str(rule_drift("run", "state", values, {"one": moved_end(one, backend, out)}).verdict)
