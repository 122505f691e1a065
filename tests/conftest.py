"""Tests keep what XLA compiles beside pytest's own cache: a second run is faster, a user's cache is not touched."""

import os
from pathlib import Path

os.environ["XDG_CACHE_HOME"] = str(Path(__file__).parent.parent / ".pytest_cache" / "netparity")


pytest_plugins = ["pytester", "tests.browsing"]
