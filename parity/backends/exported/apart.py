"""Running an exported file in a process that has its framework and nothing of this package."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.backends.exported import Inputs, arguments_of
from parity.errors import UsageError
from parity.interface.trace import Precision

Results = dict[Precision, list[NDArray]]
"""Precision → what a network in it gives for each of some batches."""
ENDING = {"flax": "jax", "torch": "pt2"}
"""Framework → ending of the names of its files."""
LOADED = {
    "flax": """
import jax, numpy
jax.config.update("jax_enable_x64", True)
load = lambda path: jax.export.deserialize(bytearray(open(path, "rb").read())).call
call = lambda network, arrays: network(*arrays)
""",
    "torch": """
import numpy, torch
load = lambda path: torch.export.load(path).module()
call = lambda network, arrays: network(*map(torch.from_numpy, arrays)).detach()
""",
}
"""Framework → the lines that say how a file is loaded and called."""
APART = """
import sys
for name in ("parity", "jaxnets", "torchnets", "flax", "optax"):
    sys.modules[name] = None  # to import it is an error
{loaded}
for path in sys.argv[2:]:
    network = load(path)
    for batch in range(int(sys.argv[1])):
        arrays = numpy.load(f"{{path}}.{{batch}}.npz")
        numpy.save(f"{{path}}.{{batch}}.npy", numpy.asarray(call(network, [arrays[name] for name in arrays.files])))
"""


def run_apart(framework: str, files: Mapping[Precision, bytes], batches: Sequence[Inputs]) -> Results:
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
            for number, batch in enumerate(batches):
                arguments = [_argument(array, framework, precision) for array in arguments_of(batch)]
                np.savez(f"{paths[precision]}.{number}.npz", *arguments)
        program = APART.format(loaded=LOADED[framework])
        command = [sys.executable, "-c", program, str(len(batches)), *map(str, paths.values())]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise UsageError(f"the exported file does not run without this package: {reason}")
        return {p: [np.load(f"{path}.{number}.npy") for number in range(len(batches))] for p, path in paths.items()}


def _argument(array: NDArray, framework: str, precision: Precision) -> NDArray:
    if array.dtype.kind == "i":
        return array.astype(np.int32 if framework == "flax" else np.int64)
    first = framework == "torch" and array.ndim == 4  # PyTorch's images have their channels second
    return np.ascontiguousarray(np.moveaxis(array, -1, 1) if first else array, precision)
