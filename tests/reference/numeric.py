"""Central differences along random directions, and the small networks they are taken on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.reference import GRU, MLP, RNN, VGG, Gradients, Network, Run

STEP = 1e-5
RELATIVE, ABSOLUTE = 1e-6, 1e-8
DIRECTIONS = 3


def agrees(function: Callable[[Any], float], point: Any, gradient: Any, rng: np.random.Generator) -> bool:
    """Tell whether `gradient` is that of `function` at `point`, along a few random unit directions.

    Exact zeros stay as they are: they come from a ReLU, and a pool after it has no derivative where they tie.
    """
    assert gradient.shape == point.shape and gradient.dtype == np.float64
    for _ in range(DIRECTIONS):
        direction = rng.normal(size=point.shape) * (point != 0)
        direction /= np.linalg.norm(direction)
        slope = (function(point + STEP * direction) - function(point - STEP * direction)) / (2 * STEP)
        if not abs(slope - np.vdot(gradient, direction)) <= ABSOLUTE + RELATIVE * np.linalg.norm(gradient):
            return False
    return True


@dataclass
class Case:
    """A small network of prime sizes with random weights, inputs and cotangent."""

    network: Network
    weights: dict[str, Any]
    inputs: Any
    cotangent: Any

    def run(self, training: bool, **changed: Any) -> Run:
        weights = self.weights | {name: changed[name] for name in changed if name != "inputs"}
        return self.network.forward(weights, changed.get("inputs", self.inputs), training=training)

    def value(self, training: bool, **changed: Any) -> float:
        return float(np.vdot(self.run(training, **changed).logits, self.cotangent))

    def gradients(self, training: bool) -> Gradients:
        return self.network.backward(self.run(training), self.cotangent)


SMALL: dict[str, tuple[Network, tuple[int, ...], int]] = {
    "MLP": (MLP(sizes=(30, 11, 7, 5)), (3, 3, 5, 2), 5),
    "MLP of rows": (MLP(sizes=(2, 5)), (7, 2), 5),
    "VGG": (VGG(plan=(5, "M", 7, 3, "M"), in_channels=2, num_classes=5, image_size=11), (3, 11, 11, 2), 5),
    "RNN": (RNN(input_size=2, hidden_size=7, num_classes=5), (3, 4, 2), 5),
    "GRU": (GRU(input_size=2, hidden_size=7, num_classes=5), (3, 4, 2), 5),
    "GRU of one step": (GRU(input_size=2, hidden_size=7, num_classes=5), (3, 1, 2), 5),
    "RNN of one step": (RNN(input_size=2, hidden_size=7, num_classes=5), (3, 1, 2), 5),
}


def random_weights(network: Network, rng: np.random.Generator) -> dict[str, Any]:
    """Draw every weight and buffer: none is zero or one, variances are positive."""
    weights = {}
    for name, shape in network.shapes().items():
        drawn = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        weights[name] = np.exp(drawn) if name.endswith((".running_var", ".scale")) else drawn
    return weights


def case(name: str, seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    network, shape, classes = SMALL[name]
    return Case(network, random_weights(network, rng), rng.normal(size=shape), rng.normal(size=(shape[0], classes)))
