"""Bugs of any size: one number in PyTorch's twin is another, by a given share of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import optim

from parity.backends import Twin
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch import norms
from parity.interface.trace import Arrays
from parity.recipes import Optimizer

Plant = Callable[[float], type[Twin]]


@dataclass(frozen=True)
class Family:
    """Bugs that differ in size only.

    Args:
        name: name of the number that is changed.
        pair: name of the small pair in which it is planted.
        plant: function from a size to the twin in which the number is multiplied by 1 + size.
        sizes: the sizes, from large to small.
        rung: number of the rung that must catch it first.
    """

    name: str
    pair: str
    plant: Plant
    sizes: Sequence[float]
    rung: int


def epsilon(size: float) -> type[Twin]:
    """The twin with another epsilon in every BatchNorm."""
    return norms(lambda norm: setattr(norm, "eps", norm.eps * (1 + size)))


def momentum(size: float) -> type[Twin]:
    """The twin with another momentum in every BatchNorm."""
    return norms(lambda norm: setattr(norm, "momentum", (norm.momentum or 0.0) * (1 + size)))


def learning_rate(size: float) -> type[Twin]:
    """The twin with another learning rate in every step."""

    class Planted(TorchTwin):
        def apply(
            self,
            optimizer: optim.Optimizer,
            parameters: Sequence[torch.Tensor],
            gradients: Sequence[torch.Tensor],
            spec: Optimizer,
            learning_rate: float,
        ) -> None:
            super().apply(optimizer, parameters, gradients, spec, learning_rate * (1 + size))

    return Planted


def optimizer_epsilon(size: float) -> type[Twin]:
    """The twin with another epsilon in its optimizer."""

    class Planted(TorchTwin):
        def optimizer(self, parameters: Sequence[torch.Tensor], spec: Optimizer) -> optim.Optimizer:
            return super().optimizer(parameters, replace(spec, eps=spec.eps * (1 + size)))

    return Planted


def weight(size: float) -> type[Twin]:
    """The twin whose weight import changes the largest weight of the first kernel."""

    class Planted(TorchTwin):
        def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
            name = next(name for name in weights if name.endswith("kernel"))
            changed = np.array(weights[name], np.float64)
            changed.flat[np.abs(changed).argmax()] *= 1 + size
            return super().import_weights({**weights, name: changed})

    return Planted


DECADES = tuple(10.0**-k for k in range(2, 13))
ULP32, ULP64 = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
FAMILIES = (
    Family("BatchNorm's epsilon", "vgg", epsilon, DECADES, 2),
    Family("BatchNorm's momentum", "vgg", momentum, DECADES, 4),
    Family("Adam's epsilon", "mlp", optimizer_epsilon, DECADES, 5),
    Family("the learning rate", "mlp", learning_rate, (*DECADES, ULP32, ULP64), 5),
    Family("one weight", "mlp", weight, (*DECADES, ULP32, ULP64), 2),
)
