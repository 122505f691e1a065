"""Data-parallel training in PyTorch: one process a device, `DistributedDataParallel` over gloo or NCCL.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html.
"""

from collections.abc import Iterable, Sequence

import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from parity.backends.torch.training.network import TorchNetwork
from parity.backends.torch.training.processes import gathered, summed
from parity.backends.torch.training.session import LossAndHits, TorchSession, hits_of
from parity.backends.torch.training.sync_norm import HostSyncBatchNorm
from parity.data import Batch, Inputs
from parity.errors import UsageError
from parity.interface.devices import parts
from parity.interface.runs import TrainingState
from parity.recipes import Optimizer


class ParallelTorchSession(TorchSession):
    """A training run on one of several devices, each in a process of its own.

    Every process trains the same weights on its part of each batch, and gets the same state. The loss is the mean over
    the global batch whatever the parts' sizes: each part's mean counts by its number of examples, also where a device
    has none. BatchNorm's statistics are those of the global batch; with `Devices.norms_apart` each device's are its
    own, and the first's run on.

    Differs from `DistributedDataParallel` by itself, which averages the parts' means whatever their sizes, and whose
    BatchNorm is each device's own.

    Raises:
        UsageError: this process has not joined as many others as there are devices.
    """

    def __init__(self, network: TorchNetwork, optimizer: Optimizer) -> None:
        super().__init__(network, optimizer)
        if not distributed.is_initialized() or distributed.get_world_size() != network.devices.count:
            raise UsageError(
                f"PyTorch has one process a device, and this one has not joined {network.devices.count}: parity train "
                f"--devices or torchrun launches them"
            )
        self._rank, self._size = distributed.get_rank(), network.devices.count
        if not network.devices.norms_apart:
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
        share = self.share(part.count, batch.count)
        x, labels = self._arguments_and_labels(part)
        logits = self._wrapped(*x)
        loss = share * (self._run.loss(logits, labels) if part.count else logits.sum())
        return (loss.detach(), hits_of(logits, labels)), self.reduced(loss)

    def fed(self, batch: Batch) -> list[Batch]:
        """The parts of a batch as the devices have them, in the devices' order."""
        return gathered(self.part(batch))

    def told_by_all(self, text: str) -> list[str]:
        """The texts that all processes pass here, in the order of their ranks."""
        return gathered(text)

    def part(self, batch: Batch) -> Batch:
        """This device's part of the global batch."""
        cut = parts(len(batch.labels), self._size)[self._rank]
        return batch.part(cut)

    def share(self, count: int, total: int) -> float:
        """What the mean loss of this device's so many labels counts in that of the global batch with its total."""
        return count / total

    def reduced(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Gradients of the sum of all devices' losses: the wrapper averages over the devices."""
        for parameter in self._parameters:
            parameter.grad = None
        (loss * self._size).backward()
        return [parameter.grad for parameter in self._parameters]

    def _fetched(self, steps: Sequence[LossAndHits]) -> tuple[NDArray, NDArray]:
        losses, hits = (summed(torch.stack([step[i] for step in steps])).cpu().numpy() for i in (0, 1))
        return losses, hits

    def _score(self, batch: Batch) -> LossAndHits:
        self._same_buffers()
        part = self.part(batch)
        loss, hits = super()._score(part) if part.count else self._nothing()
        return summed(loss * self.share(part.count, batch.count)), summed(hits)

    def _predict(self, inputs: Iterable[Inputs]) -> list[NDArray]:
        self._same_buffers()
        return super()._predict(inputs)

    def _state(self) -> TrainingState:
        self._same_buffers()
        return super()._state()

    def _same_buffers(self) -> None:
        """Give every device the first one's running statistics, where each has its own."""
        for buffer in self._run.model.buffers() if self.network.devices.norms_apart else ():
            distributed.broadcast(buffer, src=0)

    def _nothing(self) -> LossAndHits:
        device = self._run.torch_device
        return torch.zeros((), dtype=self._run.dtype, device=device), torch.zeros((), dtype=torch.int64, device=device)
