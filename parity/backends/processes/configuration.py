"""JAX's configuration of a whole process, for commands to set before JAX computes."""

import os
from importlib import import_module


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk for the next run, in the user's cache folder; loads JAX.

    Changes JAX's configuration for the whole process, so it is for commands to call. JAX_COMPILATION_CACHE_DIR, where
    it is set, says which folder.
    """
    import_module("parity.backends.flax.tracing.programs").keep_compiled_programs()


def leave_memory() -> None:
    """Let JAX take a GPU's memory as it needs it, so that other processes have some; for before it computes."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
