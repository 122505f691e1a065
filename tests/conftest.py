"""Tests compile quickly, and keep what XLA compiles beside pytest's own cache.

A second run is faster, and a user's cache is not touched.
"""

import os
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".pytest_cache" / "netparity"
os.environ["XDG_CACHE_HOME"] = str(CACHE)
# One folder for each process of pytest-xdist: two that write the same program at once leave it broken.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(CACHE / os.environ.get("PYTEST_XDIST_WORKER", "alone") / "xla")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")


pytest_plugins = ["pytester", "tests.browsing"]
