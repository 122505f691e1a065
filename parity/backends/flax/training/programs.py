"""How XLA compiles our programs and keeps them."""

import os
from functools import cache

import jax

from parity.files import cache_folder

QUICK = {"xla_backend_optimization_level": "0"}
"""XLA's options for programs that run a few times: LLVM does not optimise what XLA gives it. All programs of the VGG's
check take 36 s of processor time to compile and run on a CPU so, 51 s otherwise; running them takes no longer."""
SOUND = {"xla_cpu_experimental_ynn_fusion_type": ""}
"""Turns off a fusion of XLA's that computes some sums on CPUs wrongly (jax 0.10.2, jax#39103)."""


@cache
def run_once() -> dict[str, str]:
    """XLA's options for the programs by which networks are judged: compiled quickly, and without fusions that are known
    to be wrong, as far as the installed version knows these options."""
    try:
        jax.jit(lambda: 0.0, compiler_options=SOUND)()
    except jax.errors.JaxRuntimeError:
        return QUICK
    return {**QUICK, **SOUND}


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk; see `parity.backends.processes.configuration`."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
