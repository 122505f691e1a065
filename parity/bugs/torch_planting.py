"""How a bug is planted in the PyTorch twin: its network is changed once it is built, or its loss."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from parity.backends.torch.twin import TorchTwin
from parity.interface.network import Config


def model_changed(change: Callable[[Any], None]) -> type[TorchTwin]:
    """The twin whose network is changed once it is built."""

    class Planted(TorchTwin):
        @classmethod
        def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> nn.Module:
            model = super().build(network, config, seed=seed, init=init)
            change(model)
            return model

    return Planted


def of_class(path: str, cls: type) -> type[TorchTwin]:
    """The twin with one module (the network itself for "") of another class."""
    return model_changed(lambda model: setattr(model.get_submodule(path), "__class__", cls))


def loss_changed(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> type[TorchTwin]:
    """The twin with another loss."""

    class Planted(TorchTwin):
        def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return loss(logits, labels)

    return Planted
