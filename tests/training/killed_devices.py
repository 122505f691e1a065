"""Kills processes of runs on several devices: `python -m tests.training.killed_devices KILLS SEED FOLDER WORDS`.

WORDS are those of `parity train` without --out. Each time a process is drawn, the launcher or one of those that it
launched, and killed at a moment that is drawn too; the run is resumed until it has been killed so often, then let end.
Prints a line of JSON a kill: what was killed, the newest checkpoint's step, how long until nothing of the run was left,
the exit code and what was said.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.training.killed import ONLY_NEW, newest

BOUND = 60.0
"""Seconds after which a run that lost a process must have ended; PyTorch gives the others 30."""


def processes(mark: Path) -> dict[int, int]:
    """Those of `parity` whose words name a folder: id → parent's id."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
            if str(mark).encode() in words and b"\0parity\0" in words:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(entry.name)] = int(parent)
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return found


def begun(words: Sequence[str], out: Path) -> subprocess.Popen[str]:
    """The run, or the rest of it once it has a checkpoint."""
    place = [f"--out={out}"] if newest(out) is None else [f"--resume={out}"]
    kept = words if newest(out) is None else [word for word in words if not word.startswith(ONLY_NEW)]
    argv = [sys.executable, "-m", "parity", *kept, *place]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def awaited(run: subprocess.Popen[str], out: Path, *, beyond: int | None) -> dict[int, int]:
    """The run's processes, as soon as all are there and it has a checkpoint beyond a step, or it has ended."""
    deadline = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        at = newest(out)
        if at is not None and (beyond is None or at > beyond):
            return processes(out)
        time.sleep(0.005)
    return {}


def left_after(run: subprocess.Popen[str], out: Path) -> tuple[float, str]:
    """Seconds until nothing of the run is left, and what it said."""
    started = time.monotonic()
    _, said = run.communicate(timeout=BOUND)
    while left := processes(out):
        if time.monotonic() > started + BOUND:
            raise AssertionError(f"left after {BOUND} s: {left}")
        time.sleep(0.01)
    return time.monotonic() - started, said


def kill(words: Sequence[str], out: Path, chance: random.Random, number: int) -> bool:
    """Begin or resume, kill one of the processes, and tell of it; whether there was one to kill."""
    before = newest(out)
    run = begun(words, out)
    if before is not None and number % 4 == 0:  # also while it starts
        time.sleep(chance.uniform(0.5, 6.0))
        found = processes(out) if run.poll() is None else {}
    else:
        found = awaited(run, out, beyond=before)
        time.sleep(chance.uniform(0.0, 0.3))
    victims = [process for process in found if process == run.pid or found[process] == run.pid]
    if not victims:
        left_after(run, out)
        return False
    victim = chance.choice(sorted(victims))
    who = "launcher" if victim == run.pid else f"one of {len(victims) - 1}"
    os.kill(victim, signal.SIGKILL)
    seconds, said = left_after(run, out)
    if run.returncode == 0:
        return False
    record = {"killed": who if len(victims) > 1 else "the only one", "step": newest(out), "seconds": round(seconds, 2)}
    print(json.dumps(record | {"code": run.returncode, "said": said.strip().splitlines()[-2:]}), flush=True)
    return True


def run(kills: int, seed: int, out: Path, words: Sequence[str]) -> int:
    """Kill so many times, then let it end; its exit code."""
    chance, done = random.Random(seed), 0
    while done < kills:
        if not kill(words, out, chance, done):
            print(f"it had ended after {done} kills; give more steps", file=sys.stderr)
            return 1
        done += 1
    last = begun(words, out)
    _, said = left_after(last, out) if last.wait() == 0 else (0.0, last.communicate()[1])
    print(said, file=sys.stderr, end="")
    return last.returncode


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).resolve(), sys.argv[4:]))
