"""What a GPU's record is made on: driver, devices and versions: `python -m benchmarks.gpu.machine OUT`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parity.backends.processes.machine import frameworks
from parity.errors import UsageError
from parity.files import write_atomically

ASKED = ("name", "driver_version", "memory.total", "power.limit")
"""What `nvidia-smi --query-gpu` is asked for."""
ELSEWHERE = "run it where a GPU is at hand, or try its path by --device cpu --quick"
WAIT = 60


def gpus() -> list[dict[str, str]]:
    """What the driver says of each GPU, by the names of `ASKED`; empty without a driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", f"--query-gpu={','.join(ASKED)}", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT)
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
    return [dict(zip(ASKED, row, strict=True)) for row in rows if len(row) == len(ASKED)] if not done.returncode else []


def description() -> dict[str, Any]:
    """The GPUs as the driver has them, and what each framework says of its devices and settings; loads both."""
    return {"gpus": gpus(), "frameworks": {name: dict(words) for name, words in frameworks().items()}, **_counted()}


def _counted() -> dict[str, int]:
    """The number of GPUs that each framework can use."""
    import jax
    import torch

    try:
        jax_count = len(jax.devices("gpu"))
    except RuntimeError:  # how JAX says that it has none
        jax_count = 0
    return {"jax_gpus": jax_count, "torch_gpus": torch.cuda.device_count() if torch.cuda.is_available() else 0}


def require(machine: Mapping[str, Any], versions: Mapping[str, str]) -> None:
    """Raise UsageError, in a sentence, where a framework has no GPU.

    Args:
        machine: what `description` gives.
        versions: package → version.
    """
    if machine["jax_gpus"] and machine["torch_gpus"]:
        return
    driver = ", ".join(gpu["name"] for gpu in machine["gpus"]) or "no GPU"
    frameworks = {"jax": machine["jax_gpus"], "torch": machine["torch_gpus"]}
    said_of = " and ".join(f"{name} {versions[name]} sees {count}" for name, count in frameworks.items())
    raise UsageError(f"there is no GPU for both frameworks here: nvidia-smi shows {driver}, {said_of}; {ELSEWHERE}")


def main(argv: list[str]) -> int:
    """Write what is found to a file; return 0."""
    write_atomically(Path(argv[0]), json.dumps(description(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
