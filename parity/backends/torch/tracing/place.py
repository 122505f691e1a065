"""The device on which PyTorch's side of a pair is computed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from parity.errors import UsageError
from parity.interface.devices import chosen_place

TYPES = {"cpu": "cpu", "gpu": "cuda"}
"""Platform → PyTorch's word for it."""


def place() -> torch.device:
    """The device that was chosen, as PyTorch names it.

    Raises:
        UsageError: PyTorch does not have it.
    """
    chosen = chosen_place().of("torch")
    if chosen.platform == "gpu" and chosen.number >= (count := torch.cuda.device_count()):
        has = f"{count} of them" if count else "none"
        raise UsageError(f"PyTorch has no device {chosen} here ({torch.__version__} sees {has}); give --device cpu")
    kind = TYPES[chosen.platform]
    return torch.device(kind) if kind == "cpu" else torch.device(kind, chosen.number)


@contextmanager
def on_place() -> Iterator[None]:
    """New tensors are made on that device, and its random generator is as before afterwards, as the CPU's is."""
    device = place()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        if device.type == "cpu":
            yield
        else:
            with device:
                yield
