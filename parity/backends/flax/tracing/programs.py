"""How XLA compiles our programs and keeps them."""

import os
from functools import cache
from pathlib import Path

import jax
from jax._src import lru_cache

from parity.backends.flax.tracing.quick import QUICK, Option
from parity.files import cache_folder

SINGLE = "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION"
SOUND: dict[str, Option] = {"xla_cpu_experimental_ynn_fusion_type": SINGLE}
"""Turns off a fusion of XLA's that computes some sums on CPUs wrongly (jax 0.10.2, jax#39103). Single products and
convolutions stay with that library: without it a convolution in float64 takes 40 times as long."""

UNKNOWN = ("No such compile option", "is not a valid enum value")
"""What XLA says of an option, or of a value of one, that it does not know."""


@cache
def run_once() -> dict[str, Option]:
    """XLA's options for the programs by which networks are judged: compiled quickly, and without fusions that are known
    to be wrong, as far as the installed version knows these options."""
    return {name: value for name, value in {**QUICK, **SOUND}.items() if _is_known(name, value)}


def _is_known(name: str, value: Option) -> bool:
    try:
        jax.jit(lambda: 0.0, compiler_options={name: value})()
    except jax.errors.JaxRuntimeError as error:
        if not any(words in str(error) for words in UNKNOWN):
            raise
        return False
    return True


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk; see `parity.backends.processes.configuration`."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    lru_cache.LRUCache.put = _put  # type: ignore[assignment]


WRITE = lru_cache.LRUCache.put
"""JAX's own way to keep a program: it writes into the file that others read, and one that is stopped leaves half of it,
which then stays and is complained of by every process that asks for it."""


def _put(cache: lru_cache.LRUCache, key: str, value: bytes) -> None:
    """Keep a compiled program whole or not at all; where JAX limits the size of its folder, with its own lock."""
    if cache.eviction_enabled:
        WRITE(cache, key, value)
        return
    path = Path(str(cache.path)) / f"{key}-cache"
    if path.exists():
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(value)
    part.replace(path)
