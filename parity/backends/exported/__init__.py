"""Networks as files that run without this package: written by each framework's own exporter, and run again apart."""

from collections.abc import Callable
from importlib import import_module

from numpy.typing import NDArray

from parity.interface.twin import Twin

Inputs = NDArray | tuple[NDArray, ...]
"""What a network is called with: an array, or one for each argument."""
WRITERS = {"flax": "in_jax", "torch": "in_torch"}


def arguments_of(inputs: Inputs) -> tuple[NDArray, ...]:
    """The arrays, one for each argument."""
    return inputs if isinstance(inputs, tuple) else (inputs,)


def exported(twin: Twin, inputs: Inputs) -> bytes:
    """The network in evaluation mode with its weights, as the bytes of a file of its framework.

    Args:
        twin: the network, of Flax or of PyTorch, at the precision that the file will have.
        inputs: a batch (B, …) of more than one example, whose sizes but for B the file takes.

    Raises:
        UsageError: what writes the file is not installed.
    """
    writer: Callable[[Twin, Inputs], bytes] = import_module(f"{__name__}.{WRITERS[twin.framework]}").write
    return writer(twin, inputs)
