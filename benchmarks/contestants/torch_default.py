"""PyTorch in the way of its own tutorial.

Source: https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contestants.base import Contestant
from benchmarks.contestants.settings import autocast, set_torch, torch_device
from benchmarks.contestants.workload import Precision, Workload
from parity.backends.torch.twin import TorchTwin
from parity.data import Batch
from parity.interface.trace import Arrays
from parity.recipes import Optimizer


def optimizer_of(parameters: Any, spec: Optimizer) -> torch.optim.Optimizer:
    """PyTorch's optimizer in its default implementation: neither fused nor compiled."""
    if spec.kind == "adam":
        return torch.optim.Adam(
            parameters, spec.learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay
        )
    if spec.kind == "rmsprop":
        return torch.optim.RMSprop(parameters, spec.learning_rate, alpha=spec.alpha, eps=spec.eps)
    return torch.optim.SGD(parameters, spec.learning_rate, momentum=spec.momentum)


def channels_first(inputs: NDArray) -> NDArray:
    """Images (B, H, W, C) as (B, C, H, W) in memory; other inputs as they are."""
    return np.ascontiguousarray(np.moveaxis(inputs, -1, 1)) if inputs.ndim == 4 else inputs


class TorchDefault(Contestant):
    """Eager training by a `DataLoader` over the batches' examples in their order, with PyTorch's default optimizer."""

    framework = "torch"

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        set_torch(precision)
        self._device = torch_device(device)

    def network(self, weights: Arrays) -> nn.Module:
        """The network with these weights."""
        recipe = self.recipe
        cls = TorchTwin.build(recipe.network, recipe.config)
        self._twin = TorchTwin(cls, precision=self.width, device=self.device)  # for its weight map
        self._twin.load(weights)
        return self._twin.model

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build network, optimizer and loader; the weights go in by the project's weight map."""
        self.model = self.network(weights)
        self.optimizer = optimizer_of(self.model.parameters(), self.recipe.optimizer)
        self._loss_fn = nn.CrossEntropyLoss()
        self._loader = self.loader(batches)
        self._batches = self._cycle()

    def loader(self, batches: Sequence[Batch]) -> DataLoader:
        """A loader of the examples in the order of the batches, so that every contestant trains on the same."""
        inputs = torch.tensor(np.concatenate([channels_first(b.inputs) for b in batches]), dtype=self.dtype)
        labels = torch.tensor(np.concatenate([b.labels for b in batches]))
        return DataLoader(TensorDataset(inputs, labels), batch_size=self.recipe.batch_size, shuffle=False)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of weights and inputs."""
        return getattr(torch, self.width)

    def _cycle(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            for x, labels in self._loader:
                yield x.to(self._device), labels.to(self._device)

    def pipeline(self) -> Iterator[object]:
        """Yield the loader's batches without end."""
        return self._batches

    def train(self, steps: int) -> float:
        """Train by the tutorial's loop, which reads every hundredth batch's loss; their mean is kept on the device."""
        self.model.train()
        total = torch.zeros((), device=self._device)
        for i, (x, labels) in enumerate(islice(self._batches, steps)):
            with autocast(self.precision, self.device):
                loss = self._loss_fn(self.model(x), labels)
            loss.backward()
            if self.recipe.optimizer.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimizer.clip_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
            total += loss.detach()
            if i % 100 == 0:
                loss.item()
        self._wait()
        return total.item() / steps

    def infer(self, steps: int) -> None:
        """Infer under `model.eval()` and `torch.no_grad()`."""
        self.model.eval()
        with torch.no_grad(), autocast(self.precision, self.device):
            for x, _ in islice(self._batches, steps):
                self.model(x)
        self._wait()

    def _wait(self) -> None:
        if self._device == "cuda":
            torch.cuda.synchronize()

    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, by the project's weight map."""
        return self._twin.weights()

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) in evaluation mode."""
        self.model.eval()
        x = torch.tensor(channels_first(inputs), dtype=self.dtype, device=self._device)
        with torch.no_grad(), autocast(self.precision, self.device):
            return self.model(x).float().cpu().numpy() if self.precision == "bfloat16" else self.model(x).cpu().numpy()

    def programs(self) -> int:
        """The number 0, since nothing is compiled."""
        return 0
