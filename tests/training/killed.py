"""Kills a run again and again: `python -m tests.training.killed KILLS SEED FOLDER ARGUMENTS OF PARITY`.

Each attempt is the command itself in a forked process of its own, so that starting it takes no time; this process loads
neither framework, and has no thread. Prints the newest checkpoint's step after each kill, then lets the run end.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from sklearn import datasets  # noqa: F401 - loaded before the forks, as parity.backends below

import parity.backends.numpy.twin  # noqa: F401 - see above
from parity.cli import training as training_command  # noqa: F401 - see above
from parity.cli.main import main
from parity.training import checkpoint
from parity.training.folder import CHECKPOINTS

ONLY_NEW = (
    "--seed=",
    "--checkpoint-every=",
    "--evaluate-every=",
    "--batch-size=",
    "--data=",
    "--batch-norm=",
    "--precision=",
)


def newest(out: Path) -> int | None:
    """The step of the newest checkpoint, if there is one."""
    found = checkpoint.files(out / CHECKPOINTS)
    return checkpoint.step_of(found[-1]) if found else None


def fork(arguments: list[str], out: Path) -> int:
    """Begin the run, or resume it as soon as it has a checkpoint, in a process of its own; the process's id."""
    child = os.fork()
    if child == 0:
        if newest(out) is None:
            os._exit(main([*arguments, f"--out={out}"]))
        os._exit(main([*(word for word in arguments if not word.startswith(ONLY_NEW)), f"--resume={out}"]))
    return child


def kill(arguments: list[str], out: Path, seconds: float, *, within: bool) -> None:
    """Run for a while, counted from the first step if the kill is to fall within the training; then kill."""
    before = newest(out) or 0
    child = fork(arguments, out)
    deadline = time.monotonic() + 60
    while within and (newest(out) or 0) <= before and not ended(child) and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(newest(out), "killed" if os.WIFSIGNALED(status) else "had ended", flush=True)


def ended(child: int) -> bool:
    """Whether a process has ended that is not waited for yet."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def run(kills: int, seed: int, out: Path, arguments: list[str]) -> int:
    """Kill so many times, then let it end; its exit code."""
    chance = random.Random(seed)
    for number in range(kills):
        kill(arguments, out, chance.uniform(0.0, 0.02), within=number % 3 > 0)
    _, status = os.waitpid(fork(arguments, out), 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
