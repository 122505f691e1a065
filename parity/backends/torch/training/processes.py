"""The processes in which PyTorch trains together, one a device, over gloo or NCCL.

Source: https://docs.pytorch.org/docs/stable/distributed.html.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from parity.errors import UsageError
from parity.interface.devices import Member, launched


@contextmanager
def joined(count: int | None, device: str, timeout: float, *, search: bool = False) -> Iterator[Member]:
    """Join the processes that were launched together, until the end; see
    `parity.backends.processes.members.joined`."""
    member = launched()
    if search:
        raise UsageError("--distributed is for JAX; torchrun launches PyTorch's processes, or --devices by itself")
    if count not in (None, member.size):
        raise UsageError(
            f"got --devices {count} in one of {member.size} launched processes, and PyTorch has one process a device; "
            f"give --devices {member.size} or leave it out"
        )
    if device == "gpu":
        _take_gpu(member.local_rank)
    else:
        torch.set_num_threads(max(1, torch.get_num_threads() // member.size))
    distributed.init_process_group("nccl" if device == "gpu" else "gloo", timeout=timedelta(seconds=timeout))
    try:
        yield replace(member, devices=member.size)
    finally:
        distributed.destroy_process_group()


def _take_gpu(number: int) -> None:
    if number >= (devices := torch.cuda.device_count()):
        raise UsageError(f"PyTorch has {devices} gpu devices here, too few for process {number}; launch {devices}")
    torch.cuda.set_device(number)


def lost(error: Exception) -> bool:
    """Whether an error says that another process is gone, stands still or failed."""
    return isinstance(error, distributed.DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error).lower()
    )


def gathered(value: Any) -> list[Any]:
    """The values that all processes pass here, in the order of their ranks; anything that can be pickled."""
    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum of the tensors that all processes pass here, which must have one shape and dtype."""
    total = tensor.clone()
    distributed.all_reduce(total)
    return total
