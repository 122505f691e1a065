"""GPT-2 by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import back, call
from parity.reference.zoo.layers.embedding import Embedding
from parity.reference.zoo.layers.norms import LayerNorm
from parity.reference.zoo.layers.transformer import Block


class GPT2(Network):
    """Tokens and positions, causal blocks, and a head that is the token embedding.

    Its arguments are those of `jaxnets.GPT2`, without `init` and `rngs`.

    Inputs are whole numbers (B, T), T at most `context`; logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 50257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
    ) -> None:
        self.token, self.position = Embedding("token", vocab_size, width), Embedding("position", context, width)
        self.blocks = [
            Block(f"blocks.{i}", width, heads, hidden, causal=True, eps=1e-5, approximate=True) for i in range(depth)
        ]
        self.norm = LayerNorm("norm", width, 1e-5)
        super().__init__([self.token, self.position, *self.blocks, self.norm])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; there is nothing to cache besides the calls."""
        hidden = call(self.token, run, inputs) + call(self.position, run, np.arange(inputs.shape[1]))
        for module in (*self.blocks, self.norm):
            hidden = call(module, run, hidden)
        return hidden @ run.weights["token.embedding"].T, None

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; the token embedding gets what comes to it as the head and as the first layer."""
        gradients.parameters["token.embedding"] = np.einsum("btv,btc->vc", cotangent, run.outputs["norm"])
        to_hidden = cotangent @ run.weights["token.embedding"]
        for module in (self.norm, *self.blocks[::-1]):
            to_hidden = back(module, run, gradients, to_hidden)
        back(self.position, run, gradients, to_hidden.sum(axis=0))
        return back(self.token, run, gradients, to_hidden)
