"""The reference networks, written by hand in NumPy, as a backend's networks; float64 only."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.errors import UsageError
from parity.interface import network
from parity.interface import random as initial
from parity.interface.network import Config
from parity.interface.trace import Arrays, Precision
from parity.recipes import Optimizer
from parity.reference import NETWORKS, SGD, Adam, Network, RMSprop, clip_by_global_norm
from parity.reference import Optimizer as Rule


class NumpyNetwork(network.Network):
    """A network written by hand in NumPy, with the float64 weights that its forward and backward passes take.

    Raises:
        UsageError: another precision than float64, or another device than "cpu", is asked for.
    """

    framework = "numpy"

    def __init__(self, model: Network, *, precision: Precision = "float64", device: str = "cpu") -> None:
        if precision != "float64" or device != "cpu":
            raise UsageError(f"the NumPy reference was asked for {precision} on {device}; it has float64 on cpu only")
        super().__init__(model, precision=precision, device=device)
        self._weights: Arrays = initial.draw(model.shapes(), "default", 0)

    @classmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> Network:
        """Construct the reference network, which holds no weights of its own."""
        return NETWORKS[network](**config)

    @classmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: initial.Scheme) -> Arrays:  # type: ignore[override] # a narrower str
        """Weights from the documented distribution itself, one draw a seed: name → (len(seeds), *shape)."""
        shapes = NETWORKS[network](**config).shapes()
        draws = [initial.draw(shapes, init, seed) for seed in seeds]
        return {name: np.stack([draw[name] for draw in draws]) for name in shapes}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return self.model.shapes()

    def weights(self) -> Arrays:
        """Copies of all parameters and buffers, float64."""
        return {name: array.copy() for name, array in self._weights.items()}

    def _load(self, weights: Mapping[str, NDArray]) -> None:
        self._weights = {name: np.array(weights[name], np.float64) for name in self.shapes()}


def rule_of(spec: Optimizer) -> Rule:
    """The recipe's optimizer, without its clipping, by hand."""
    if spec.kind == "adam":
        return Adam(betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay)
    if spec.kind == "rmsprop":
        return RMSprop(alpha=spec.alpha, eps=spec.eps)
    return SGD(momentum=spec.momentum)


def clipped(gradients: Mapping[str, NDArray], spec: Optimizer) -> Mapping[str, NDArray]:
    """The gradients as the optimizer's rule gets them: scaled to the recipe's global norm where they exceed it."""
    return gradients if spec.clip_norm is None else clip_by_global_norm(gradients, spec.clip_norm)
