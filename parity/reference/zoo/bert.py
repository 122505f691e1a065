"""BERT by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, labelled_cross_entropy
from parity.reference.modules import Dense, Shapes
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.attention import Attention, Mask
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.embedding import Embedding
from parity.reference.zoo.layers.norms import LayerNorm
from parity.reference.zoo.layers.transformer import FeedForward, gelu_backward, gelu_forward

EPSILON = 1e-12


class EncoderBlock(Composite):
    """norm1(x + attention(x)), then norm2(x + mlp(x)), of x (B, T, C).

    Args:
        path: the module's place in the network.
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        eps: number that the norms add to the variance.
    """

    def __init__(self, path: str, width: int, heads: int, hidden: int, *, eps: float) -> None:
        self.attention = Attention(f"{path}.attention", width, heads, causal=False)
        self.norm1, self.norm2 = (LayerNorm(f"{path}.{name}", width, eps) for name in ("norm1", "norm2"))
        self.mlp = FeedForward(f"{path}.mlp", width, hidden, approximate=False)
        super().__init__(path, self.attention, self.norm1, self.mlp, self.norm2)

    def forward(self, run: Run, call_: str, inputs: Array, there: Mask | None = None) -> Array:
        """Run the four parts and both sums; positions that are not `there` are not looked at."""
        mixed = self.attention.forward(run, self.attention.path, inputs, there)
        middle = call(self.norm1, run, inputs + mixed)
        return run.record(call_, inputs, call(self.norm2, run, middle + call(self.mlp, run, middle)), None)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        to_sum = back(self.norm2, run, gradients, cotangent)
        to_sum = back(self.norm1, run, gradients, to_sum + back(self.mlp, run, gradients, to_sum))
        return to_sum + back(self.attention, run, gradients, to_sum)


class BERT(Network):
    """Tokens, positions and segments, encoder blocks, and a head that is the token embedding, with a bias.

    Its arguments are those of `jaxnets.BERT`, without `init` and `rngs`.

    Inputs are whole numbers (B, T), all in segment 0; logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 30522,
        context: int = 512,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        padding: int | None = 0,
    ) -> None:
        self.padding, self.vocab_size = padding, vocab_size
        tables = {"token": vocab_size, "position": context, "segment": 2}
        self.token, self.position, self.segment = (Embedding(name, rows, width) for name, rows in tables.items())
        self.norm = LayerNorm("norm", width, EPSILON)
        self.blocks = [EncoderBlock(f"blocks.{i}", width, heads, hidden, eps=EPSILON) for i in range(depth)]
        self.transform = Dense("transform", width, width)
        self.transform_norm = LayerNorm("transform_norm", width, EPSILON)
        embedded = [self.token, self.position, self.segment, self.norm]
        super().__init__([*embedded, *self.blocks, self.transform, self.transform_norm])

    def shapes(self) -> Shapes:
        """Shape of the head's bias, then those of the modules."""
        return {"bias": (self.vocab_size,)} | super().shapes()

    def loss(self, logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
        """The mean cross-entropy of the labels that are not −100, and its gradient."""
        return labelled_cross_entropy(logits, labels)

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache is that of GELU."""
        there = None if self.padding is None else inputs != self.padding
        hidden = call(self.token, run, inputs) + call(self.position, run, np.arange(inputs.shape[1]))
        hidden = call(self.norm, run, hidden + call(self.segment, run, np.zeros_like(inputs)))
        for block in self.blocks:
            hidden = block.forward(run, block.path, hidden, there)
        hidden, cache = gelu_forward(call(self.transform, run, hidden), approximate=False)
        hidden = call(self.transform_norm, run, hidden)
        return hidden @ run.weights["token.embedding"].T + run.weights["bias"], cache

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; the token embedding gets what comes to it as the head and as the first layer."""
        gradients.parameters["bias"] = cotangent.sum(axis=(0, 1))
        gradients.parameters["token.embedding"] = np.einsum("btv,btc->vc", cotangent, run.outputs["transform_norm"])
        to_hidden = back(self.transform_norm, run, gradients, cotangent @ run.weights["token.embedding"])
        to_hidden = back(self.transform, run, gradients, gelu_backward(to_hidden, run.cache[""]))
        for module in (*self.blocks[::-1], self.norm):
            to_hidden = back(module, run, gradients, to_hidden)
        back(self.segment, run, gradients, to_hidden)
        back(self.position, run, gradients, to_hidden.sum(axis=0))
        return back(self.token, run, gradients, to_hidden)
