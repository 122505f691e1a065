"""XLA's options for programs that run a few times, so that compiling is nearly all of the work; loads no JAX."""

from collections.abc import Mapping

Option = str | bool
QUICK: Mapping[str, Option] = {"xla_backend_optimization_level": "0", "xla_cpu_use_fusion_emitters": False}
"""LLVM does not optimise what XLA gives it, and XLA gives it loops without going through MLIR."""
QUICKEST: Mapping[str, Option] = {**QUICK, "xla_llvm_disable_expensive_passes": True}
"""For processes that judge many small networks, where it halves the time."""


def flags(options: Mapping[str, Option]) -> str:
    """XLA's options as the environment variable XLA_FLAGS has them; XLA reads it when it compiles first in a process.

    Args:
        options: Name → value, as the argument `compiler_options` of `jax.jit` takes them.
    """
    return " ".join(f"--{name}={_written(value)}" for name, value in options.items())


def _written(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else value
