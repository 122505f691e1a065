"""The circumstances that figures depend on: versions, hardware, and the commit of this project."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("netparity", "jax", "flax", "optax", "torch", "numpy")


def versions() -> dict[str, str]:
    """Version of Python and of each package that decides a result, by name; "not installed" where one is missing."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def hardware() -> dict[str, str | int | None]:
    """Processor, the cores that this process may use, and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    allowed = getattr(os, "sched_getaffinity", None)
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(allowed(0)) if allowed else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


@cache
def commit() -> str:
    """The commit that this file is from, with a "+" if the checkout has changes; "unknown" outside a checkout.

    It is the commit at the first call, for a checkout may move on while a process runs the code that it has loaded.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
