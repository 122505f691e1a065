"""`parity train` on several devices: launched, joined, and ended as one."""

import argparse
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from parity.backends.processes.exit_message import LAUNCHER, LOST, tell
from parity.backends.processes.members import joined, launch, lost
from parity.errors import UsageError, printable
from parity.interface.devices import Member, launched
from parity.training import checkpoint
from parity.training.diverged import DivergedError
from parity.training.folder import CHECKPOINTS, run_of
from parity.training.guard import Guard

A_MOMENT = 1.0
"""Seconds that others wait so that the first process speaks first, or the launcher sees the one that was killed."""

REPEATED = re.compile(r"([^:]+: )\1+")


@dataclass(frozen=True)
class Together:
    """This process in a run on several devices.

    Args:
        member: which process of how many this is.
        pulse: function to call whenever some work is done; None where no other process waits for it.
    """

    member: Member = field(default_factory=Member)
    pulse: Callable[[], None] | None = None


def require_fit(arguments: argparse.Namespace) -> None:
    """Raise UsageError unless the options fit the framework."""
    several, backend = is_several(arguments), arguments.backend
    if backend == "numpy" and several:
        raise UsageError("--backend numpy trains on one device, in one process; give --backend jax or torch")
    if backend != "jax" and (arguments.distributed or arguments.device == "tpu"):
        option = "--distributed" if arguments.distributed else "--device tpu"
        raise UsageError(f"{option} is for --backend jax; torchrun launches the processes of --backend torch")
    if arguments.compile and several:
        raise UsageError("--compile is for one device; leave it out, or --devices")
    if arguments.batch_norm == "per-device" and not several:
        raise UsageError("--batch-norm per-device is for several devices; give --devices too")


def is_several(arguments: argparse.Namespace) -> bool:
    """Whether the run is on several devices, or may be."""
    return (arguments.devices or 1) > 1 or _is_launched(arguments)


def is_to_be_launched(arguments: argparse.Namespace) -> bool:
    """Whether the processes that train together have yet to be launched: PyTorch needs one a device."""
    return arguments.backend == "torch" and is_several(arguments) and not _is_launched(arguments)


def _is_launched(arguments: argparse.Namespace) -> bool:
    by_hand = arguments.backend == "jax" and "JAX_NUM_PROCESSES" in os.environ
    return launched().size > 1 or by_hand or arguments.distributed


def launch_all(arguments: argparse.Namespace) -> int:
    """Train in processes of their own, one for each device; return the exit code of the run."""
    try:
        ended = launch(arguments.words, arguments.devices, arguments.device)
    except KeyboardInterrupt:
        print(f"parity: stopped; {kept(place_of(arguments))}", file=sys.stderr)
        return 130
    if ended is None:
        return 0
    words = ended.words if ended.is_complete else f"{ended.words}; {kept(place_of(arguments))}"
    print(f"parity: {printable(words)}", file=sys.stderr)
    return ended.code


@contextmanager
def together(arguments: argparse.Namespace) -> Iterator[Together]:
    """Join the other processes of the run, where there are some, and make sure that all end when one does.

    On several devices an error ends the process here, so that no framework waits for the others on its way out.
    """
    if not is_several(arguments):
        yield Together()
        return
    place = place_of(arguments)
    with Guard(arguments.timeout, lambda why: _end(f"{why}; {kept(place)}", LOST)) as guard:
        try:
            count, device = arguments.devices, arguments.device
            with joined(arguments.backend, count, device, arguments.timeout, search=arguments.distributed) as member:
                guard.pulse()
                yield Together(member, guard.pulse)
        except BaseException as error:
            if not _is_launched(arguments):
                raise
            _end_by(error, arguments.backend, place)


def _end_by(error: BaseException, backend: str, place: Path | None) -> NoReturn:
    if isinstance(error, UsageError | DivergedError):
        _end(str(error), 2 if isinstance(error, UsageError) else 1)
    if isinstance(error, KeyboardInterrupt):
        _end(f"stopped{error}" if str(error) else f"stopped; {kept(place)}", 130)
    if isinstance(error, Exception) and lost(backend, error):
        _end(f"another device is gone, stands still or failed ({_first_line(error)}); {kept(place)}", LOST, wait=True)
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


def _end(words: str, code: int, *, wait: bool = False) -> NoReturn:
    """End this process, whatever its threads wait for."""
    member = launched()
    if wait or not member.leads:
        time.sleep(A_MOMENT)
    if not tell(words, code) and (member.leads or LAUNCHER not in os.environ):
        who = "" if member.size == 1 else f"process {member.rank}: "
        print(f"parity: {who}{printable(words)}", file=sys.stderr, flush=True)
    os._exit(code)


def _first_line(error: Exception) -> str:
    """The first line of an error's message, without the prefixes that XLA repeats."""
    lines = REPEATED.sub(r"\1", str(error).strip()).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def place_of(arguments: argparse.Namespace) -> Path | None:
    """The folder of the run that the command line names; None if it names none."""
    place = arguments.out or arguments.resume
    if place is None:
        return None
    return run_of(Path(place).resolve()) if Path(place).is_file() else Path(place)


def kept(place: Path | None) -> str:
    """Say from which checkpoint a run that has ended can be resumed."""
    checkpoints = [] if place is None else checkpoint.files(place / CHECKPOINTS)
    if not checkpoints:
        return "nothing was kept"
    return f"the last checkpoint is that of step {checkpoint.step_of(checkpoints[-1])}: --resume {place}"
