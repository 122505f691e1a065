"""Multi-layer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

import jax
from flax import nnx

from jaxnets.layers import Flatten, dense


class MLP(nnx.Module):
    """Dense layers with ReLU between them.

    Args:
        sizes: features of the input, of each hidden layer, and of the logits. The study's are (2, 20, 2) for points
            and (3072, 1024, 512, 256, 10) for images.
        init: "default" (PyTorch's) or "randn" (0.1·N(0, 1) and zero biases).
        rngs: source of the initial weights.

    Source: the study, part I.
    """

    def __init__(
        self, *, sizes: Sequence[int] = (3072, 1024, 512, 256, 10), init: str = "default", rngs: nnx.Rngs
    ) -> None:
        self.flatten = Flatten()
        self.layers = nnx.List([dense(i, o, init=init, rngs=rngs) for i, o in pairwise(sizes)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits (B, classes) of points (B, F) or images (B, H, W, C)."""
        x = self.flatten(x)
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 else nnx.relu(x))
        return x
