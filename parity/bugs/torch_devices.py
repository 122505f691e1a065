"""Bugs planted in PyTorch's training on several devices: each is the session with one small method replaced."""

from typing import Any

import torch
from torch import distributed, nn
from torch.utils.data import DistributedSampler

from parity.backends.torch.training.network import TorchNetwork
from parity.backends.torch.training.parallel import ParallelTorchSession
from parity.backends.torch.training.processes import summed
from parity.backends.torch.training.session import TorchSession
from parity.backends.torch.training.sync_norm import HostSyncBatchNorm
from parity.backends.torch.twin import TorchTwin
from parity.data import Batch
from parity.recipes import Optimizer


def _session(planted: type[ParallelTorchSession]) -> type[TorchTwin]:
    """The twin whose training on several devices is another."""

    class Planted(TorchTwin):
        def session(self, optimizer: Optimizer, *, brief: bool = False) -> TorchSession:
            return planted(self, optimizer) if self.devices.count > 1 else super().session(optimizer, brief=brief)

    return Planted


class _OwnStatistics(ParallelTorchSession):
    def synchronised(self, model: nn.Module) -> nn.Module:
        return model


class _MeanOfMeans(ParallelTorchSession):
    def share(self, count: int, total: int) -> float:
        return 1 / self._size


class _AsItComes(_OwnStatistics, _MeanOfMeans):
    pass


class _NormOfMeans(HostSyncBatchNorm):
    def statistics(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        axes, size = [axis for axis in range(x.ndim) if axis != 1], distributed.get_world_size()
        count, _, _ = super().statistics(x)
        return count, self.reduced(x.mean(axes)) / size, self.reduced(x.var(axes, correction=0)) / size


class _StatisticsOfMeans(ParallelTorchSession):
    def synchronised(self, model: nn.Module) -> nn.Module:
        for module in model.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = _NormOfMeans
        return model


def _sum(state: Any, bucket: distributed.GradBucket) -> torch.futures.Future[torch.Tensor]:
    work = distributed.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])


class _Summing(ParallelTorchSession):
    def __init__(self, network: TorchNetwork, optimizer: Optimizer) -> None:
        super().__init__(network, optimizer)
        self._wrapped.register_comm_hook(None, _sum)


class _Sampled(_MeanOfMeans):
    drop_last = False

    def part(self, batch: Batch) -> Batch:
        examples: Any = range(len(batch.labels))
        indices: list[int] = list(
            DistributedSampler(examples, self._size, self._rank, shuffle=False, drop_last=self.drop_last)
        )
        return batch.part(indices)


class _Dropping(_Sampled):
    drop_last = True


class _FirstPart(_MeanOfMeans):
    def part(self, batch: Batch) -> Batch:
        size = -(-len(batch.labels) // self._size)
        return batch.part(slice(size))


class _Interleaved(ParallelTorchSession):
    def part(self, batch: Batch) -> Batch:
        return batch.part(slice(self._rank, None, self._size))


class _ByHand(ParallelTorchSession):
    def reduced(self, loss: torch.Tensor) -> list[torch.Tensor]:
        return [summed(gradient) for gradient in torch.autograd.grad(loss, self._parameters)]


PLANTED: dict[str, type[TorchTwin]] = {
    "ddp-statistics": _session(_OwnStatistics),
    "ddp-by-itself": _session(_AsItComes),
    "sync-of-means": _session(_StatisticsOfMeans),
    "mean-of-means": _session(_MeanOfMeans),
    "summed-for-averaged": _session(_Summing),
    "sampler-padding": _session(_Sampled),
    "rest-dropped": _session(_Dropping),
    "one-part-for-all": _session(_FirstPart),
    "interleaved": _session(_Interleaved),
    "reduced-by-hand": _session(_ByHand),
}
