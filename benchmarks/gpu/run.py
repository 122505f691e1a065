"""Makes the record of a GPU, part by part: `python -m benchmarks gpu`.

Each part is a fresh process and one file, which is written under a temporary name and renamed when it is whole. Parts
whose files are there are passed over, so a run that was stopped goes on; a part that failed is tried again next time.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.gpu import machine
from benchmarks.gpu.kept import kept
from benchmarks.gpu.parts import FULL, LIMIT, OUT, QUICK, Part, parts
from benchmarks.speed import record
from parity.errors import UsageError, counted, unknown_name
from parity.files import write_atomically

FAILED = ".failed"
"""End of the name of the file that holds the last words of a part that failed."""
TAIL = 4000
NEEDS = "trains on images: give --data-dir PLACE, a folder or zip of them, see docs/images.md"


@dataclass(frozen=True)
class Ended:
    """How a part's process ended.

    Args:
        code: its exit code; None if it was ended at the limit.
        seconds: how long it took.
        printed: the end of what it printed.
        result: what it wrote, if it wrote something.
    """

    code: int | None
    seconds: float
    printed: str
    result: Any


def run_part(part: Part, limit: float) -> Ended:
    """Run a part in a fresh process, with all its children, for `limit` seconds at most."""
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        out, printed = Path(folder) / "out.json", Path(folder) / "printed.txt"
        command = [sys.executable, "-m", *(str(out) if word == OUT else word for word in part.command)]
        started = time.perf_counter()
        with printed.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **part.variables},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
            try:
                code: int | None = process.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end(process)
        seconds, tail = time.perf_counter() - started, printed.read_text(errors="replace")[-TAIL:]
        return Ended(code, seconds, tail, json.loads(out.read_text()) if out.is_file() else None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it has started, and wait for it."""
    with contextlib.suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def make_part(part: Part, folder: Path, device: str) -> str:
    """Run a part and write its file, or that of its failure; return what went wrong, "" if nothing did."""
    about = record.environment(device)
    ended, path, failed = run_part(part, LIMIT), folder / f"{part.name}.json", folder / f"{part.name}{FAILED}"
    if ended.code not in part.codes or ended.result is None:
        why = f"took longer than {LIMIT} s" if ended.code is None else f"ended with {ended.code}"
        write_atomically(failed, f"{part.name} {why}: python -m {' '.join(part.command)}\n\n{ended.printed}\n")
        return why
    document = {
        "part": part.name,
        "kind": part.kind,
        "command": f"python -m {' '.join(part.command)}",
        "seconds": ended.seconds,
        "environment": about,
        "result": kept(part.kind, ended.result),
    }
    write_atomically(path, json.dumps(document, indent=1) + "\n")
    failed.unlink(missing_ok=True)
    return ""


def chosen(every: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """The parts of these names, all if there are none.

    Raises:
        UsageError: there is no such part.
    """
    known = {part.name: part for part in every}
    for name in names:
        if name not in known:
            raise unknown_name("part", name, known)
    return [known[name] for name in names] or [*every]


def run(arguments: argparse.Namespace) -> int:
    """List the parts, or make those that are missing; return the exit code, 1 where a part failed.

    Raises:
        UsageError: a part is not known, or the device is not there.
    """
    folder = Path(arguments.out or ROOT / "benchmarks" / "records" / f"{time.strftime('%Y-%m-%d')}-gpu")
    runs = Path(arguments.runs or ROOT / "build" / "gpu" / folder.name).resolve()
    images = str(Path(arguments.data_dir).resolve()) if arguments.data_dir else None
    size = QUICK if arguments.quick else FULL
    every = parts(size, arguments.device, str(runs), images)
    wanted = chosen(every, arguments.only or [])
    if arguments.list:
        print(listed(wanted, folder))
        return 0
    if arguments.device == "gpu":
        _require_gpu(every[0])
    folder.mkdir(parents=True, exist_ok=True)
    return _make(wanted, folder, arguments)


def _require_gpu(part: Part) -> None:
    """Look at the machine anew, for a record may be gone on with elsewhere; raises UsageError if it has no GPU."""
    ended = run_part(part, LIMIT)
    if ended.result is None:
        raise UsageError(f"this machine could not be looked at: {' '.join(ended.printed.strip().splitlines()[-1:])}")
    machine.require(ended.result, record.environment("gpu")["versions"])


def _make(wanted: Sequence[Part], folder: Path, arguments: argparse.Namespace) -> int:
    """Make the parts that are missing, in order, within the minutes that are allowed; return the exit code."""
    started, failures, left = time.monotonic(), 0, 0
    for part in wanted:
        if (folder / f"{part.name}.json").exists():
            continue
        spent = (time.monotonic() - started) / 60
        if arguments.minutes is not None and spent + part.minutes > arguments.minutes:
            left += 1
            continue
        why = _not_yet(part, folder, arguments) or _attempt(part, folder, arguments.device)
        if why:
            failures += 1
            print(f"{part.name}: {why}", file=sys.stderr, flush=True)
    if left:
        print(f"{counted(left, 'part')} left for other {arguments.minutes:g} minutes: run it again", file=sys.stderr)
    return int(bool(failures))


def _not_yet(part: Part, folder: Path, arguments: argparse.Namespace) -> str:
    """Why a part cannot begin; "" if it can."""
    if part.needs_images and not arguments.data_dir:
        return NEEDS
    if part.after and not (folder / f"{part.after}.json").exists():
        return f"goes on from {part.after}, which is not there"
    return ""


def _attempt(part: Part, folder: Path, device: str) -> str:
    print(f"{part.name}: {part.says}, about {part.minutes:g} min", file=sys.stderr, flush=True)
    return make_part(part, folder, device)


def listed(wanted: Sequence[Part], folder: Path) -> str:
    """A line for each part with its minutes and whether it is there, and the minutes of those that are not."""
    there = {part.name for part in wanted if (folder / f"{part.name}.json").exists()}
    width = max(len(part.name) for part in wanted)
    lines = [
        f"{part.name:<{width}}  {part.minutes:4.1f} min  {'there  ' if part.name in there else 'missing'}  {part.says}"
        for part in wanted
    ]
    minutes = sum(part.minutes for part in wanted if part.name not in there)
    count = len(wanted) - len(there)
    return "\n".join([*lines, f"{count} of {len(wanted)} parts are missing, about {minutes:.0f} minutes in all"])


def add_command(commands: Any) -> None:
    """Declare the command `python -m benchmarks gpu` and its options."""
    parser = commands.add_parser("gpu", help="all that a GPU is asked to do, in parts that resume; writes a record")
    parser.add_argument("--list", action="store_true", help="the parts with their minutes, and which are there")
    parser.add_argument("--only", action="append", metavar="PART", help="this part (all that are missing)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no part that would end after so many minutes")
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu", help="cpu: to try the path (gpu)")
    parser.add_argument("--quick", action="store_true", help="the whole path on tiny sizes, to see that it works")
    parser.add_argument("--data-dir", metavar="PLACE", help="folder or zip of images to train on, see docs/images.md")
    parser.add_argument("--out", metavar="FOLDER", help="folder of the record (benchmarks/records/DATE-gpu)")
    parser.add_argument("--runs", metavar="FOLDER", help="checkpoints of the training runs (build/gpu)")
    parser.set_defaults(do=run)
