"""Networks as files that run without this package: written by each framework's own exporter, and run again apart."""

from collections.abc import Callable
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from parity.interface.twin import Twin

WRITERS = {"flax": "in_jax", "torch": "in_torch"}


def exported(twin: Twin, inputs: NDArray[np.generic]) -> bytes:
    """The network in evaluation mode with its weights, as the bytes of a file of its framework.

    Args:
        twin: the network, of Flax or of PyTorch, at the precision that the file will have.
        inputs: a batch (B, …) of more than one example, whose sizes but for B the file takes.

    Raises:
        UsageError: what writes the file is not installed.
    """
    writer: Callable[[Twin, NDArray[np.generic]], bytes] = import_module(f"{__name__}.{WRITERS[twin.framework]}").write
    return writer(twin, inputs)
