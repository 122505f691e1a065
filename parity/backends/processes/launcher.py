"""Starts a command in several processes of this machine that train together, by PyTorch's own launcher.

Source: https://docs.pytorch.org/docs/stable/elastic/agent.html.
"""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from parity.backends.processes.exit_message import LAUNCHER, LOST
from parity.errors import UsageError

A_CORE = 8
"""Processes that this machine is trusted with."""
PATIENCE = 20.0
"""Seconds. PyTorch kills a process that has not ended 30 s after it was told to, since another failed."""


def require_room(processes: int, device: str) -> None:
    """Raise UsageError unless this machine has so many devices."""
    room = torch.cuda.device_count() if device == "gpu" else A_CORE * (os.cpu_count() or 1)
    if processes > room:
        what = "gpu devices" if device == "gpu" else f"processes, {A_CORE} a core"
        raise UsageError(f"got --devices {processes}, and this machine has room for {room} {what}; give fewer")


@dataclass(frozen=True)
class EarlyEnd:
    """Why processes that train together have ended before their time.

    Args:
        code: exit status that the command leaves with.
        words: what the process said that failed first, or what is known of it.
        is_complete: whether these are its own words, which say all.
    """

    code: int
    words: str
    is_complete: bool


def launch(words: Sequence[str], processes: int) -> EarlyEnd | None:
    """Run `python -m parity WORDS` in so many processes until all have ended; the first that fails ends the others.

    Returns:
        None if all did what they should.

    Raises:
        KeyboardInterrupt: it was stopped, and so were they.
    """
    try:
        together(sys.executable, ["-m", "parity", *words], processes)
    except ChildFailedError as error:
        return first_of(error.failures)
    except SignalException as error:
        return EarlyEnd(128 + error.sigval, f"stopped by {error.sigval.name}", is_complete=False)
    return None


def together(entry: Callable[..., Any] | str, arguments: Sequence[Any], processes: int) -> dict[int, Any]:
    """Run a function or a program in so many processes of this machine that end together; rank → what it returns.

    Raises:
        ChildFailedError: one failed.
        SignalException: this process was told to end.
    """
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder, _environment(), _silent():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id="netparity",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            monitor_interval=0.1,
            start_method="forkserver",
            logs_specs=DefaultLogsSpecs(log_dir=folder),
            signals_to_handle="SIGTERM,SIGHUP,SIGQUIT",  # Ctrl-C is Python's own
        )
        return elastic_launch(config, entry)(*arguments)


def first_of(failures: Mapping[int, ProcessFailure]) -> EarlyEnd:
    """What ended the processes: the words of one that knows, a signal, or else that one has lost the others."""
    ranked = list(failures.items())
    exited = {rank: failure for rank, failure in ranked if failure.exitcode > 0 and failure.exitcode != LOST}
    by_signal = {r: f for r, f in ranked if f.exitcode < 0 and not _by_launcher(f, ranked[0][1])}
    if spoken := [failure for failure in exited.values() if _has_words(failure)]:
        return EarlyEnd(spoken[0].exitcode, spoken[0].message, is_complete=True)
    if exited:
        rank, failure = next(iter(exited.items()))
        return EarlyEnd(
            failure.exitcode, f"the process of device {rank} failed; what it said is above", is_complete=False
        )
    if by_signal:
        rank = min(by_signal, key=lambda rank: by_signal[rank].exitcode == -signal.SIGABRT)
        name = signal.Signals(-by_signal[rank].exitcode).name
        return EarlyEnd(LOST, f"the process of device {rank} was killed by {name}", is_complete=False)
    if stuck := [str(rank) for rank, f in ranked if f.exitcode == -signal.SIGKILL]:
        return EarlyEnd(
            LOST, f"the process of device {', '.join(stuck)} stood still, and was killed", is_complete=False
        )
    return EarlyEnd(LOST, ranked[0][1].message, is_complete=True)


def _by_launcher(failure: ProcessFailure, first: ProcessFailure) -> bool:
    """Whether the launcher ended a process, as another had failed."""
    late = failure.timestamp - first.timestamp > PATIENCE
    return failure is not first and (failure.exitcode == -signal.SIGTERM or late)


def _has_words(failure: ProcessFailure) -> bool:
    return "code" in failure.error_file_data


@contextmanager
def _environment() -> Iterator[None]:
    """What the processes have in their environment: who started them, and the loopback."""
    before = dict(os.environ)
    os.environ[LAUNCHER] = str(os.getpid())
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _silent() -> Iterator[None]:
    """PyTorch's launcher logs tracebacks of what is told in a line here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
