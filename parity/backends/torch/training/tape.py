"""Sees inside a PyTorch network while it runs, by hooks on its modules."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

Call = tuple[str, torch.Tensor, torch.Tensor]
"""A module's path, its first input and its output."""


@contextmanager
def taps(model: nn.Module) -> Iterator[list[Call]]:
    """Record every module call meanwhile, in the order in which the calls end."""
    calls: list[Call] = []
    handles = [
        module.register_forward_hook(lambda _, args, output, path=path: calls.append((path, args[0], output)))
        for path, module in model.named_modules()
        if not isinstance(module, nn.ModuleList)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
