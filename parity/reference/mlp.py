"""The multi-layer perceptron by hand."""

from collections.abc import Sequence
from typing import Any

from parity.reference.layers import Array, relu_backward, relu_forward
from parity.reference.modules import Dense, Flatten
from parity.reference.network import Network
from parity.reference.record import Gradients, Run


class MLP(Network):
    """Flatten, then dense layers `layers.0`, `layers.1`, … with ReLU between them, none after the last.

    Args:
        sizes: features of the input, of each hidden layer and of the logits.

    Inputs are images (B, H, W, C), flattened in channels-first order, or rows (B, sizes[0]); logits are
    (B, sizes[-1]).

    Raises:
        ValueError: fewer than two sizes.
    """

    def __init__(self, sizes: Sequence[int] = (3072, 1024, 512, 256, 10)) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP: got sizes {tuple(sizes)}, expected at least two, of the input and of the logits")
        self.flatten = Flatten("flatten")
        self.layers = [Dense(f"layers.{i}", sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]
        super().__init__([self.flatten, *self.layers])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache lists where each ReLU's input is positive."""
        hidden = self.flatten.forward(run, self.flatten.path, inputs)
        hidden = self.layers[0].forward(run, self.layers[0].path, hidden)
        masks = []
        for layer in self.layers[1:]:
            hidden, mask = relu_forward(hidden)
            masks.append(mask)
            hidden = layer.forward(run, layer.path, hidden)
        return hidden, masks

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last layer first."""
        for layer, mask in zip(self.layers[:0:-1], reversed(run.cache[""]), strict=True):
            cotangent = layer.backward(run, gradients, layer.path, cotangent)
            cotangent = relu_backward(cotangent, mask)
        cotangent = self.layers[0].backward(run, gradients, self.layers[0].path, cotangent)
        return self.flatten.backward(run, gradients, self.flatten.path, cotangent)
