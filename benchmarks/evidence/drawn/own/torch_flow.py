"""Blocks that differ from others in what becomes of arrays, not in a formula: returned, dropped, frozen, masked."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

KEEP, EPS = 0.9, 1e-5


class DroppedCall(nn.Module):
    """The features are axis 1 for a BatchNorm and the last axis for all else."""

    def __init__(self, s: Mapping[str, Any], rank: int) -> None:
        super().__init__()
        features = s["features"]
        self.twice, self.used = s["torch"], s.get("used", True)
        if s["layer"] == "dense":
            self.layer: nn.Module = nn.Linear(features, features)
        elif s["layer"] == "layer norm":
            self.layer = nn.LayerNorm(features, eps=EPS)
        else:
            norm = nn.BatchNorm2d if rank == 3 else nn.BatchNorm1d
            self.layer = norm(features, eps=EPS, momentum=1 - KEEP)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.twice:
            self.layer(x + 1.0)
        y = torch.tanh(self.layer(x))
        return x + y if self.used else x


class Tap(nn.Module):
    """Gives what goes on, and what is returned beside the network's result."""

    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.returned = s["returned"]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = 2.0 * x
        z = y.add_(1.0) if self.returned == "changed" else y + 1.0
        shown = {"as it is": y, "changed": y, "later": z, "stopped": y.detach()}[self.returned]
        return torch.tanh(z), shown


class FrozenDense(nn.Module):
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        how = s["torch"] if s["frozen"] else ""
        self.detached = how == "detached"
        for name, array in (("weight", torch.randn(s["out"], s["in"])), ("bias", torch.zeros(s["out"]))):
            if how == "buffer":
                self.register_buffer(name, array)
            else:
                self.register_parameter(name, nn.Parameter(array, requires_grad=how != "requires_grad"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.detached:
            return F.linear(x, self.weight.detach(), self.bias.detach())
        return F.linear(x, self.weight, self.bias)


class Ids(nn.Module):
    """Gives its input as it is, and the number of a feature of each place."""

    def __init__(self, s: Mapping[str, Any], rank: int) -> None:
        super().__init__()
        self.find = {"argmax": torch.argmax, "argmin": torch.argmin}[s["function"]]
        self.first, self.axis = s["first"], 1 if rank == 3 else -1

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, self.find(x, self.axis) + self.first


class Masked(nn.Module):
    """Zeros where steps (B, T) are not there, and with a divisor the mean over those that are."""

    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.s = s

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        there = (mask != 0) if self.s["kept"] else (mask == 0)
        if self.s["torch"] == "filled":
            x = x.masked_fill(~there[..., None], 0.0)
        else:
            x = x * (mask.to(x.dtype) if self.s["kept"] else 1 - mask.to(x.dtype))[..., None]
        divisor = self.s.get("divisor")
        if divisor is None:
            return x
        return x.sum(1) / (there.sum(1, keepdim=True) if divisor == "kept" else x.shape[1])


FLOWS: Mapping[str, Callable[[Mapping[str, Any], int], nn.Module]] = {
    "dropped call": DroppedCall,
    "tap": lambda s, rank: Tap(s),
    "frozen dense": lambda s, rank: FrozenDense(s),
    "ids": Ids,
    "masked fill": lambda s, rank: Masked(s),
    "masked mean": lambda s, rank: Masked(s),
}
