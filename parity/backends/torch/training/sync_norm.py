"""BatchNorm over the examples of all processes, on CPUs."""

from typing import Any

import torch
from torch import nn

from parity.backends.torch.training.processes import summed


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
        """Normalise x (B, C, …) over all axes but that of the channels."""
        if not self.training:
            return super().forward(x)
        count, mean, var = self.statistics(x)
        self.update(count, mean.detach(), var.detach())
        shape = (1, -1, *[1] * (x.ndim - 2))
        scale = self.weight * (var + self.eps).rsqrt()
        return (x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)

    def statistics(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Over all processes: the number of values a channel, a scalar, and their mean and biased variance, (C,)."""
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
        """Move the running statistics towards the batch's, mean and biased variance (C,) over `count` values.

        Raises:
            ValueError: there are fewer than two values a channel, which have no unbiased variance.
        """
        if count < 2:
            raise ValueError(f"BatchNorm in training got {int(count)} value a channel; expected at least 2")
        for running, batch in ((self.running_mean, mean), (self.running_var, var * (count / (count - 1)))):
            assert running is not None and self.momentum is not None
            running.lerp_(batch, self.momentum)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
