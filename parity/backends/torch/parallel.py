"""Data-parallel training in PyTorch: one process a device, `DistributedDataParallel` over gloo or NCCL.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from parity.backends.torch.session import LossAndHits, TorchSession, hits_of
from parity.data import Batch
from parity.errors import UsageError
from parity.interface.devices import Member, launched, parts
from parity.interface.session import TrainingState
from parity.recipes import Optimizer

if TYPE_CHECKING:
    from parity.backends.torch.twin import TorchTwin


@contextmanager
def joined(count: int | None, device: str, timeout: float, *, search: bool = False) -> Iterator[Member]:
    """Join the processes that were launched together, until the end; see `parity.backends.joined`."""
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
    if number >= (found := torch.cuda.device_count()):
        raise UsageError(f"PyTorch has {found} gpu devices here, too few for process {number}; launch {found}")
    torch.cuda.set_device(number)


def lost(error: Exception) -> bool:
    """Whether an error says that another process is gone, stands still or failed."""
    return isinstance(error, distributed.DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error).lower()
    )


class ParallelTorchSession(TorchSession):
    """A training run on one of several devices, each in a process of its own.

    Every process trains the same weights on its part of each batch, and gets the same state. The loss is the mean over
    the global batch whatever the parts' sizes: each part's mean counts by its number of examples, also where a device
    has none. BatchNorm's statistics are those of the global batch; with `Devices.norms_apart` each device's are its
    own, and the first's run on.

    Differs from `DistributedDataParallel` by itself, which averages the parts' means whatever their sizes, and whose
    BatchNorm is each device's own.
    """

    def __init__(self, twin: "TorchTwin", optimizer: Optimizer) -> None:
        super().__init__(twin, optimizer)
        if not distributed.is_initialized() or distributed.get_world_size() != twin.devices.count:
            raise UsageError(
                f"PyTorch has one process a device, and this one has not joined {twin.devices.count}: parity train "
                f"--devices or torchrun launches them"
            )
        self._rank, self._size = distributed.get_rank(), twin.devices.count
        if not twin.devices.norms_apart:
            self._run.model = self.synchronised(self._run.model)
        self._wrapped = DistributedDataParallel(self._run.model)

    def synchronised(self, model: nn.Module) -> nn.Module:
        """The network with the same parameters, whose BatchNorm takes its statistics over all devices."""
        if self._run.torch_device.type != "cpu":
            return nn.SyncBatchNorm.convert_sync_batchnorm(model)
        for module in model.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = HostSyncBatchNorm
        return model

    def _pass(self, batch: Batch) -> tuple[LossAndHits, list[torch.Tensor]]:
        part = self.part(batch)
        share = self.share(len(part.labels), len(batch.labels))
        x, labels = self._given(part)
        logits = self._wrapped(x)
        loss = share * (self._run.loss(logits, labels) if len(labels) else logits.sum())
        return (loss.detach(), hits_of(logits, labels)), self.reduced(loss)

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them."""
        return gathered(self.part(batch))

    def told_by_all(self, text: str) -> list[str]:
        """What every process says here, in their order."""
        return gathered(text)

    def part(self, batch: Batch) -> Batch:
        """This device's part of the global batch."""
        own = parts(len(batch.labels), self._size)[self._rank]
        return Batch(batch.inputs[own], batch.labels[own])

    def share(self, own: int, size: int) -> float:
        """What the mean loss of this device's part counts in that of the global batch."""
        return own / size

    def reduced(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Gradients of the sum of all devices' losses: the wrapper averages over the devices."""
        for parameter in self._parameters:
            parameter.grad = None
        (loss * self._size).backward()
        return [parameter.grad for parameter in self._parameters]

    def _fetched(self, seen: Sequence[LossAndHits]) -> tuple[NDArray, NDArray]:
        losses, hits = (summed(torch.stack([step[i] for step in seen])).cpu().numpy() for i in (0, 1))
        return losses, hits

    def _score(self, batch: Batch) -> LossAndHits:
        self._same_buffers()
        part = self.part(batch)
        loss, hits = super()._score(part) if len(part.labels) else self._nothing()
        return summed(loss * self.share(len(part.labels), len(batch.labels))), summed(hits)

    def _predict(self, inputs: Iterable[NDArray]) -> list[NDArray]:
        self._same_buffers()
        return super()._predict(inputs)

    def _state(self) -> TrainingState:
        self._same_buffers()
        return super()._state()

    def _same_buffers(self) -> None:
        """Give every device the first one's running statistics, where each has its own."""
        for buffer in self._run.model.buffers() if self.twin.devices.norms_apart else ():
            distributed.broadcast(buffer, src=0)

    def _nothing(self) -> LossAndHits:
        device = self._run.torch_device
        return torch.zeros((), dtype=self._run.dtype, device=device), torch.zeros((), dtype=torch.int64, device=device)


def gathered(own: Any) -> list[Any]:
    """What every process gives, in their order."""
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, own)
    return found


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum over all processes."""
    total = tensor.clone()
    distributed.all_reduce(total)
    return total


class _Summed(torch.autograd.Function):
    """The sum over all processes; its gradient is that of the sum of all processes' losses."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor) -> torch.Tensor:
        return summed(tensor)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return summed(gradient)


class HostSyncBatchNorm(nn.BatchNorm2d):
    """What `torch.nn.SyncBatchNorm` is, on CPUs: PyTorch has it on accelerators only.

    Mean and variance are over the examples of all processes, however many each has; the variance is computed from
    deviations, and the running one is unbiased, as PyTorch's is.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise x (B, C, …)."""
        if not self.training:
            return super().forward(x)
        count, mean, var = self.statistics(x)
        self.update(count, mean.detach(), var.detach())
        shape = (1, -1, *[1] * (x.ndim - 2))
        scale = self.weight * (var + self.eps).rsqrt()
        return (x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)

    def statistics(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Values a channel, their mean and biased variance, over all processes."""
        axes = [axis for axis in range(x.ndim) if axis != 1]
        count = summed(torch.tensor(float(x.numel() // x.shape[1]), dtype=x.dtype))
        mean = self.reduced(x.sum(axes)) / count
        deviations = x - mean.view(1, -1, *[1] * (x.ndim - 2))
        return count, mean, self.reduced(deviations.square().sum(axes)) / count

    def reduced(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, which can be differentiated."""
        return _Summed.apply(tensor)

    @torch.no_grad()
    def update(self, count: torch.Tensor, mean: torch.Tensor, var: torch.Tensor) -> None:
        """Move the running statistics towards the batch's."""
        if count < 2:
            raise ValueError(f"BatchNorm in training got {int(count)} value a channel; expected at least 2")
        for running, found in ((self.running_mean, mean), (self.running_var, var * (count / (count - 1)))):
            assert running is not None and self.momentum is not None
            running.lerp_(found, self.momentum)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
