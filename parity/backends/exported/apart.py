"""Running an exported file in a process that has its framework and nothing of this package."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.errors import UsageError
from parity.interface.trace import Precision

Given = dict[Precision, list[NDArray]]
"""Precision → what a network in it gives for each of some batches."""
ENDING = {"flax": "jax", "torch": "pt2"}
"""Framework → ending of the names of its files."""
LOADED = {
    "flax": """
import jax, numpy
jax.config.update("jax_enable_x64", True)
load = lambda path: jax.export.deserialize(bytearray(open(path, "rb").read())).call
call = lambda network, x: network(x)
""",
    "torch": """
import numpy, torch
load = lambda path: torch.export.load(path).module()
call = lambda network, x: network(torch.from_numpy(x)).detach()
""",
}
"""Framework → the lines that say how a file is loaded and called."""
APART = """
import sys
for name in ("parity", "jaxnets", "torchnets", "flax", "optax"):
    sys.modules[name] = None  # to import it is an error
{loaded}
for path in sys.argv[1:]:
    network, batches = load(path), numpy.load(path + ".npz")
    numpy.savez(path + ".npz", **{{name: numpy.asarray(call(network, batches[name])) for name in batches}})
"""


def run_apart(framework: str, files: Mapping[Precision, bytes], batches: Sequence[NDArray]) -> Given:
    """What exported files give for some batches, in a process in which none of this package can be imported.

    Args:
        framework: "flax", whose files JAX runs without Flax, or "torch".
        files: precision → content of the network's file in it.
        batches: inputs (B, …), each of any B; images have their channels last.

    Returns:
        precision → what its file gives for each batch.

    Raises:
        UsageError: a file could not be run; the last line of what was said is the reason.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {precision: Path(folder) / f"{precision}.{ENDING[framework]}" for precision in files}
        for precision, content in files.items():
            paths[precision].write_bytes(content)
            given = [_given(batch, framework, precision) for batch in batches]
            np.savez(f"{paths[precision]}.npz", *given)
        program = APART.format(loaded=LOADED[framework])
        command = [sys.executable, "-c", program, *map(str, paths.values())]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise UsageError(f"the exported file does not run without this package: {reason}")
        return {precision: _read(f"{path}.npz") for precision, path in paths.items()}


def _read(path: str) -> list[NDArray]:
    with np.load(path) as kept:
        return [kept[name] for name in kept.files]


def _given(batch: NDArray, framework: str, precision: Precision) -> NDArray:
    if batch.dtype.kind == "i":
        return batch.astype(np.int32 if framework == "flax" else np.int64)
    first = framework == "torch" and batch.ndim == 4  # PyTorch's images have their channels second
    return np.ascontiguousarray(np.moveaxis(batch, -1, 1) if first else batch, precision)
