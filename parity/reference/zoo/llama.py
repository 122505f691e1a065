"""Llama by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Dense
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.composite import back, call
from parity.reference.zoo.decoder import DecoderBlock
from parity.reference.zoo.embedding import Embedding
from parity.reference.zoo.norms import RMSNorm


class Llama(Network):
    """Tokens, decoder blocks, a norm, and a head of its own.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features of a position.
        depth: number of blocks.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        hidden: features inside each feed-forward layer.
        theta: base of the rotary frequencies.

    Inputs are whole numbers (B, T); logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 128256,
        width: int = 4096,
        depth: int = 32,
        heads: int = 32,
        key_value_heads: int = 8,
        hidden: int = 14336,
        theta: float = 500000.0,
    ) -> None:
        token = Embedding("token", vocab_size, width)
        blocks = [
            DecoderBlock(f"blocks.{i}", width, heads, key_value_heads, hidden, theta=theta, eps=1e-5)
            for i in range(depth)
        ]
        head = Dense("head", width, vocab_size, has_bias=False)
        super().__init__([token, *blocks, RMSNorm("norm", width, 1e-5), head])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; nothing lies between the modules, so there is nothing to cache."""
        hidden = inputs
        for module in self.modules:
            hidden = call(module, run, hidden)
        return hidden, None

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last module first; whole numbers have no gradient."""
        for module in reversed(self.modules):
            cotangent = back(module, run, gradients, cotangent)
        return np.empty(0)
