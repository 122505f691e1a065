"""The processes that train together: launched, joined, and lost; each framework's own functions load when called."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from parity.interface.devices import Member
from parity.interface.frameworks import framework_of

if TYPE_CHECKING:
    from parity.backends.processes.launcher import EarlyEnd


def joined(
    framework: str, count: int | None, device: str, timeout: float, *, search: bool = False
) -> AbstractContextManager[Member]:
    """Join the processes that train together, and see to the framework's devices; to be called before it computes.

    The processes are those of `torchrun`, or of a launcher that sets what it sets; for JAX also those that
    JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID tell of.

    Args:
        framework: "flax" or "torch"; "jax" is "flax", as `--backend` says it.
        count: the number of devices of all processes together; None takes as many as there are, on CPUs one a process.
        device: "cpu", "gpu" or "tpu".
        timeout: seconds that one process waits for another.
        search: whether JAX is to find the other processes by itself.

    Raises:
        UsageError: the devices are not there, or not as many processes as PyTorch needs.
    """
    return _processes(framework).joined(count, device, timeout, search=search)


def lost(framework: str, error: Exception) -> bool:
    """Whether an error of a framework says that another process is gone, stands still or failed."""
    return _processes(framework).lost(error)


def launch(words: Sequence[str], processes: int, device: str) -> "EarlyEnd | None":
    """Run `python -m parity WORDS` in processes of this machine that train together, one a device.

    Loads PyTorch, whose launcher it is.

    Args:
        words: the command's words.
        processes: how many processes to start.
        device: "cpu", "gpu" or "tpu".

    Returns:
        why the command ended before its time, or None if it did not.

    Raises:
        UsageError: there are not so many devices.
        KeyboardInterrupt: the command was stopped, and so were its processes.
    """
    launcher = import_module("parity.backends.processes.launcher")
    launcher.require_room(processes, device)
    return launcher.launch(words, processes)


def _processes(framework: str) -> Any:
    return import_module(f"parity.backends.{framework_of(framework)}.training.processes")
