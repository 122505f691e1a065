"""One backend a framework: the only importers of jaxnets and torchnets. Each is loaded when it is asked for."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from parity.errors import unknown_name
from parity.interface.devices import Devices, Member
from parity.interface.session import Score, Session, Steps, TrainingState
from parity.interface.trace import Precision
from parity.interface.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from parity.backends.processes.launcher import EarlyEnd
    from parity.interface.observation import Inputs
    from parity.interface.side import Side

FRAMEWORKS = {
    "jax": ("flax.twin", "FlaxTwin"),
    "torch": ("torch.twin", "TorchTwin"),
    "numpy": ("numpy.twin", "NumpyTwin"),
}

__all__ = [
    "FRAMEWORKS",
    "Devices",
    "Member",
    "Precision",
    "Score",
    "Session",
    "Steps",
    "TrainingState",
    "Twin",
    "joined",
    "launch",
    "leave_memory",
    "lost",
    "twin_class",
]


def twin_class(framework: str) -> type[Twin]:
    """The class that drives networks of a framework; loads the framework.

    Raises:
        UsageError: no such framework.
    """
    if framework not in FRAMEWORKS:
        raise unknown_name("framework", framework, FRAMEWORKS)
    module, name = FRAMEWORKS[framework]
    return getattr(import_module(f"{__name__}.{module}"), name)


def open_sides(flax_model: Any, torch_model: Any, flax_inputs: "Inputs", torch_inputs: "Inputs") -> "tuple[Side, Side]":
    """The sides of a pair that a user brings; loads both frameworks.

    Raises:
        UsageError: a model is not one of its framework.
    """
    flax = import_module(f"{__name__}.flax.side").FlaxSide(flax_model, flax_inputs)
    return flax, import_module(f"{__name__}.torch.side").TorchSide(torch_model, torch_inputs)


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk for the next run, in the user's cache folder.

    Changes JAX's configuration for the whole process, so it is for commands to call. JAX_COMPILATION_CACHE_DIR, where
    it is set, says which folder.
    """
    import_module(f"{__name__}.flax.programs").keep_compiled_programs()


def joined(
    framework: str, count: int | None, device: str, timeout: float, *, search: bool = False
) -> "AbstractContextManager[Member]":
    """Join the processes that train together, and see to the framework's devices; to be called before it computes.

    The processes are those of `torchrun`, or of a launcher that sets what it sets; for JAX also those that
    JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID tell of.

    Args:
        framework: "jax" or "torch".
        count: of the devices of all processes together; None is as many as there are, on CPUs one a process.
        device: "cpu", "gpu" or "tpu".
        timeout: seconds that one process waits for another.
        search: let JAX find the other processes by itself.

    Raises:
        UsageError: the devices are not there, or not as many processes as PyTorch needs.
    """
    return _processes(framework).joined(count, device, timeout, search=search)


def lost(framework: str, error: Exception) -> bool:
    """Whether an error of a framework says that another process is gone, stands still or failed."""
    return _processes(framework).lost(error)


def launch(words: "Sequence[str]", processes: int, device: str) -> "EarlyEnd | None":
    """Run the command in so many processes of this machine that train together; loads PyTorch, whose launcher it is.

    Returns:
        why it ended before its time, if it did.

    Raises:
        UsageError: there are not so many devices.
    """
    launcher = import_module(f"{__name__}.processes.launcher")
    launcher.require_room(processes, device)
    return launcher.launch(words, processes)


def _processes(framework: str) -> Any:
    return import_module(f"{__name__}.{ {'jax': 'flax.processes', 'torch': 'torch.parallel'}[framework] }")


def leave_memory() -> None:
    """Let JAX take a GPU's memory as it needs it, so that other processes have some; for before it computes."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
