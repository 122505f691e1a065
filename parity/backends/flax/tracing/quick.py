"""XLA's options for programs that run a few times, so that compiling is nearly all of the work; loads no JAX."""

from collections.abc import Mapping
from importlib.metadata import version

from parity.versions import numbers

Option = str | bool
QUICK: Mapping[str, Option] = {"xla_backend_optimization_level": "0", "xla_cpu_use_fusion_emitters": False}
"""LLVM does not optimise what XLA gives it, and XLA gives it loops without going through MLIR."""
QUICKEST: Mapping[str, Option] = {**QUICK, "xla_llvm_disable_expensive_passes": True}
"""For processes that judge many small networks, where it halves the time."""

GONE: Mapping[str, tuple[int, ...]] = {"xla_cpu_use_fusion_emitters": (0, 11, 1)}
"""Options that XLA no longer has → the first jaxlib without it, which ends a process that is given the flag."""


def flags(options: Mapping[str, Option]) -> str:
    """XLA's options as the environment variable XLA_FLAGS has them; XLA reads it when it compiles first in a process.

    Those that the installed version no longer has are left out.

    Args:
        options: Name → value, as the argument `compiler_options` of `jax.jit` takes them.
    """
    installed = numbers(version("jaxlib"))
    known = {name: value for name, value in options.items() if name not in GONE or installed < GONE[name]}
    return " ".join(f"--{name}={_written(value)}" for name, value in known.items())


def _written(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else value
