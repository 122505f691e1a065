"""Decoders with rotary positions, grouped attention and gated feed-forward layers, by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.reference.layers import Array, sigmoid
from parity.reference.modules import Dense, Module
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.attention import AttentionCache, attend_backward, attend_forward
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.embedding import Embedding
from parity.reference.zoo.layers.norms import RMSNorm
from parity.reference.zoo.layers.transformer import PreNorm


def rotate(inputs: Array, theta: float, *, sense: int = 1) -> Array:
    """Turn feature i of the first half with feature i of the second by position · theta^(-2i/D).

    Args:
        inputs: (B, T, H, D).
        theta: base of the frequencies.
        sense: 1, or -1 to turn back, which is the gradient: the transpose of a rotation is its inverse.
    """
    size = inputs.shape[-1]
    angle = np.arange(inputs.shape[1])[:, None, None] * theta ** (-np.arange(0, size, 2) / size)
    first, second = np.split(inputs, 2, axis=-1)
    cos, sin = np.cos(angle), sense * np.sin(angle)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


class GroupedAttention(Composite):
    """Causal self-attention without biases in which groups of queries share a key and a value.

    Args:
        path: the module's place in the network.
        width: features C.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        theta: base of the rotary frequencies.
    """

    def __init__(self, path: str, width: int, heads: int, key_value_heads: int, *, theta: float) -> None:
        self.size, self.theta, self.groups = width // heads, theta, heads // key_value_heads
        features = {"query": heads, "key": key_value_heads, "value": key_value_heads}
        self.maps = [Dense(f"{path}.{name}", width, n * self.size, has_bias=False) for name, n in features.items()]
        self.out = Dense(f"{path}.out", heads * self.size, width, has_bias=False)
        super().__init__(path, *self.maps, self.out)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run the four maps and what lies between them; five calls."""
        batch, length, _ = inputs.shape
        query, key, value = (call(part, run, inputs).reshape(batch, length, -1, self.size) for part in self.maps)
        query, key = rotate(query, self.theta), rotate(key, self.theta)
        key, value = (np.repeat(array, self.groups, axis=2) for array in (key, value))
        mixed, cache = attend_forward(query, key, value, np.tri(length, dtype=bool))
        return run.record(call_, inputs, call(self.out, run, mixed.reshape(batch, length, -1)), cache)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward; a shared key gets what comes to its whole group."""
        gradients.outputs[call_] = cotangent
        cache: AttentionCache = run.cache[call_]
        query, key, value = attend_backward(back(self.out, run, gradients, cotangent).reshape(cache.query.shape), cache)
        key, value = (a.reshape(*a.shape[:2], -1, self.groups, self.size).sum(axis=3) for a in (key, value))
        parts = rotate(query, self.theta, sense=-1), rotate(key, self.theta, sense=-1), value
        flat = [part.reshape(*part.shape[:2], -1) for part in parts]
        query, key, value = (back(part, run, gradients, to) for part, to in zip(self.maps, flat, strict=True))
        return query + key + value


class GatedFeedForward(Composite):
    """out(SiLU(gate(x)) * hidden(x)), without biases; SiLU(x) is x times its sigmoid.

    Args:
        path: the module's place in the network.
        width: features of the input and of the output.
        hidden: features between.
    """

    def __init__(self, path: str, width: int, hidden: int) -> None:
        self.gate = Dense(f"{path}.gate", width, hidden, has_bias=False)
        self.hidden = Dense(f"{path}.hidden", width, hidden, has_bias=False)
        self.out = Dense(f"{path}.out", hidden, width, has_bias=False)
        super().__init__(path, self.gate, self.hidden, self.out)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run the three layers; four calls."""
        gate, hidden = call(self.gate, run, inputs), call(self.hidden, run, inputs)
        share = sigmoid(gate)
        output = call(self.out, run, gate * share * hidden)
        return run.record(call_, inputs, output, (gate, share, hidden))

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        gate, share, hidden = run.cache[call_]
        to_product = back(self.out, run, gradients, cotangent)
        to_inputs = back(self.hidden, run, gradients, to_product * gate * share)
        return to_inputs + back(self.gate, run, gradients, to_product * hidden * (share + gate * share * (1 - share)))


class DecoderBlock(PreNorm):
    """The block with RMS norms, grouped attention and a feed-forward layer.

    Args:
        path: the module's place in the network.
        width: features C.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        mlp: the feed-forward layer, whose path is the block's with ".mlp".
        theta: base of the rotary frequencies.
        eps: number that the norms add to the mean square.
    """

    def __init__(
        self, path: str, width: int, heads: int, key_value_heads: int, mlp: Module, *, theta: float, eps: float
    ) -> None:
        super().__init__(
            path,
            RMSNorm(f"{path}.norm1", width, eps),
            GroupedAttention(f"{path}.attention", width, heads, key_value_heads, theta=theta),
            RMSNorm(f"{path}.norm2", width, eps),
            mlp,
        )


class Decoder(Network):
    """Tokens, decoder blocks, a norm, and a head of its own.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features of a position.
        blocks: the blocks.
        eps: number that the last norm adds to the mean square.

    Inputs are whole numbers (B, T); logits are (B, T, vocab_size).
    """

    def __init__(self, vocab_size: int, width: int, blocks: Sequence[DecoderBlock], eps: float) -> None:
        token, head = Embedding("token", vocab_size, width), Dense("head", width, vocab_size, has_bias=False)
        super().__init__([token, *blocks, RMSNorm("norm", width, eps), head])

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
