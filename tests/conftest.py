"""Tests compile quickly, and keep what XLA compiles beside pytest's own cache.

A second run is faster, and a user's cache is not touched.
"""

import os
from importlib import import_module
from pathlib import Path

from parity.backends.flax.tracing.quick import QUICK, flags

CACHE = Path(__file__).parent.parent / ".pytest_cache" / "netparity"
os.environ["XDG_CACHE_HOME"] = str(CACHE)
# One folder for each process of pytest-xdist: two that write the same program at once leave it broken.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(CACHE / os.environ.get("PYTEST_XDIST_WORKER", "alone") / "xla")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def _compile_quickly() -> None:
    """Let XLA compile quickly in this process; the commands that tests run are compiled as they are for users."""
    if "XLA_FLAGS" in os.environ:
        return
    os.environ["XLA_FLAGS"] = flags(QUICK)
    import_module("jax").jit(lambda: 0.0)()  # XLA reads its flags when it compiles first
    del os.environ["XLA_FLAGS"]


_compile_quickly()


pytest_plugins = ["pytester", "tests.browsing"]
