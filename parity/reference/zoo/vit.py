"""The vision transformer by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Conv, Dense, Shapes
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import back, call
from parity.reference.zoo.layers.norms import LayerNorm
from parity.reference.zoo.layers.transformer import Block


class ViT(Network):
    """Patches and a class token, blocks, and a dense layer on the token.

    Its arguments are those of `jaxnets.ViT`, without `init` and `rngs`.

    Inputs are (B, image_size, image_size, in_channels); logits are (B, num_classes).
    """

    def __init__(
        self,
        *,
        image_size: int = 224,
        patch_size: int = 16,
        in_channels: int = 3,
        num_classes: int = 1000,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        hidden: int = 1536,
    ) -> None:
        self.width, self.tokens = width, (image_size // patch_size) ** 2 + 1
        self.patches = Conv("patches", in_channels, width, size=patch_size, stride=patch_size, padding=0)
        self.blocks = [
            Block(f"blocks.{i}", width, heads, hidden, causal=False, eps=1e-6, approximate=False) for i in range(depth)
        ]
        self.norm = LayerNorm("norm", width, 1e-6)
        self.head = Dense("head", width, num_classes)
        super().__init__([self.patches, *self.blocks, self.norm, self.head])

    def shapes(self) -> Shapes:
        """Shapes of the token and of the positions, then those of the modules."""
        return {"class_token": (self.width,), "position": (self.tokens, self.width)} | super().shapes()

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache is the shape of the patches' map."""
        grid = call(self.patches, run, inputs)
        token = np.broadcast_to(run.weights["class_token"], (len(grid), 1, self.width))
        hidden = np.concatenate([token, grid.reshape(len(grid), -1, self.width)], axis=1) + run.weights["position"]
        for block in self.blocks:
            hidden = call(block, run, hidden)
        return call(self.head, run, call(self.norm, run, hidden)[:, 0]), grid.shape

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last module first."""
        to_token = back(self.head, run, gradients, cotangent)
        to_hidden = np.zeros_like(run.outputs["norm"])
        to_hidden[:, 0] = to_token
        for module in (self.norm, *self.blocks[::-1]):
            to_hidden = back(module, run, gradients, to_hidden)
        gradients.parameters["position"] = to_hidden.sum(axis=0)
        gradients.parameters["class_token"] = to_hidden[:, 0].sum(axis=0)
        return back(self.patches, run, gradients, to_hidden[:, 1:].reshape(run.cache[""]))
