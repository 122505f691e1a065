"""A layer that keeps an exponential moving average of its inputs' means, and subtracts it in evaluation."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, FEATURES = 6, 5


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        decay: share of the average that a pass keeps.
        debiased: whether a new mean gets the share that a debiased average gives it in the second pass, not 1 − decay.
        twice: whether each pass is averaged twice.
    """

    decay: float = 0.9
    debiased: bool = False
    twice: bool = False

    @property
    def share(self) -> float:
        """The share of the new mean in the average."""
        return (1 - self.decay) / (1 - self.decay**2) if self.debiased else 1 - self.decay


class TorchAverage(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.s = s
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.mean: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x - self.mean
        for _ in range(1 + self.s.twice):
            self.mean.mul_(1 - self.s.share).add_(self.s.share * x.detach().mean(0))
        return x


class FlaxAverage(nnx.Module):
    def __init__(self, s: Settings) -> None:
        self.s = s
        self.use_running_average = False  # what `eval()` and `train()` set
        self.mean = nnx.BatchStat(jnp.zeros(FEATURES))

    def __call__(self, x: jax.Array) -> jax.Array:
        if self.use_running_average:
            return x - self.mean[...]
        for _ in range(1 + self.s.twice):
            new = jax.lax.stop_gradient(x).mean(0)
            self.mean[...] = (1 - self.s.share) * self.mean[...] + self.s.share * new
        return x


class TorchAveraged(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.dense = nn.Linear(3, FEATURES)
        self.average = TorchAverage(s)
        self.head = nn.Linear(FEATURES, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.average(self.dense(x)))


class FlaxAveraged(nnx.Module):
    def __init__(self, s: Settings, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, FEATURES, rngs=rngs)
        self.average = FlaxAverage(s)
        self.head = nnx.Linear(FEATURES, 2, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.average(self.dense(x)))


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, 3), and no options."""
    x = np.random.default_rng(11).standard_normal((BATCH, 3)).astype(np.float32)
    return FlaxAveraged(flax, nnx.Rngs(0)), TorchAveraged(torch), x, {}
