"""How XLA compiles our programs and keeps them."""

import os

import jax

from parity.files import cache_folder

RUN_ONCE = {"xla_backend_optimization_level": "0"}
"""XLA's options for programs that run a few times: LLVM does not optimise what XLA gives it. All programs of the VGG's
check take 36 s of processor time to compile and run on a CPU so, 51 s otherwise; running them takes no longer."""


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk; see `parity.backends.processes.configuration`."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
