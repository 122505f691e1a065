"""Long short-term memory by hand, over sequences of different lengths."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, labelled_cross_entropy, sigmoid
from parity.reference.modules import Dense, Module, Shapes
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import back, call
from parity.reference.zoo.layers.embedding import Embedding

Lengths = NDArray[np.int64]


class StepCache(NamedTuple):
    """The arrays that `lstm_step_backward` needs, each (B, H).

    Attributes:
        i, f, g, o: the input gate, the forget gate, the candidate and the output gate.
        cell: the cell's state before the step.
        squashed: tanh of the cell's state after it.
    """

    i: Array
    f: Array
    g: Array
    o: Array
    cell: Array
    squashed: Array


def lstm_step_forward(sums: Array, cell: Array) -> tuple[Array, Array, StepCache]:
    """Compute c' = σ(f)·c + σ(i)·tanh(g) and h' = σ(o)·tanh(c').

    Args:
        sums: W_i·x + b_i + W_h·h + b_h, (B, 4·H) in the order i, f, g, o.
        cell: c, (B, H).

    Returns:
        c', h', (B, H) each, and the cache. Source: `torch.nn.LSTM`.
    """
    i, f, g, o = np.split(sums, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    after = f * cell + i * g
    squashed = np.tanh(after)
    return after, o * squashed, StepCache(i, f, g, o, cell, squashed)


def lstm_step_backward(to_cell: Array, to_hidden: Array, cache: StepCache) -> tuple[Array, Array]:
    """Differentiate `lstm_step_forward`: gradients of c' and h' to those of the sums, (B, 4·H), and of c."""
    i, f, g, o, cell, squashed = cache
    to_cell = to_cell + to_hidden * o * (1 - squashed**2)
    to_o = to_hidden * squashed * o * (1 - o)
    to_i, to_f, to_g = to_cell * g * i * (1 - i), to_cell * cell * f * (1 - f), to_cell * i * (1 - g**2)
    return np.concatenate([to_i, to_f, to_g, to_o], axis=-1), to_cell * f


class LayerCache(NamedTuple):
    """What `PackedLSTM` keeps: inputs, weights, what is no padding (B, T), each step's h before it and cache."""

    inputs: Array
    weights: dict[str, Array]
    there: NDArray[np.bool_]
    hidden: list[Array]
    steps: list[StepCache]


@dataclass
class PackedLSTM(Module):
    """One layer from a state of zeros, (B, T, in) to (B, T, H); what lies beyond a sequence's end is 0."""

    in_features: int
    hidden_size: int

    def own_shapes(self) -> Shapes:
        """Shapes of the two kernels and of the two biases, whose last axis is i, f, g, o."""
        gates = 4 * self.hidden_size
        return {
            "cell.dense_i.kernel": (self.in_features, gates),
            "cell.dense_i.bias": (gates,),
            "cell.dense_h.kernel": (self.hidden_size, gates),
            "cell.dense_h.bias": (gates,),
        }

    def forward(self, run: Run, call: str, inputs: Array, lengths: Lengths | None = None) -> Array:
        """Run over inputs (B, T, in), of which each sequence has the first of `lengths`, (B,); None is all."""
        weights = {name: run.weights[f"{self.path}.{name}"] for name in self.own_shapes()}
        batch, total, _ = inputs.shape
        there = np.arange(total) < (np.full(batch, total) if lengths is None else lengths)[:, None]
        cache = LayerCache(inputs, weights, there, [], [])
        from_inputs = inputs @ weights["cell.dense_i.kernel"] + weights["cell.dense_i.bias"]
        cell = hidden = np.zeros((batch, self.hidden_size))
        output = np.zeros((batch, total, self.hidden_size))
        for t in range(total):
            sums = from_inputs[:, t] + hidden @ weights["cell.dense_h.kernel"] + weights["cell.dense_h.bias"]
            cache.hidden.append(hidden)
            cell, hidden, step = lstm_step_forward(sums, cell)
            cache.steps.append(step)
            output[:, t] = hidden
        return run.record(call, inputs, np.where(there[..., None], output, 0.0), cache)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """Run backward through time, last step first; nothing comes back from beyond an end."""
        inputs, weights, there, hidden, steps = cache
        cotangent = np.where(there[..., None], cotangent, 0.0)
        to_sums = np.zeros((*cotangent.shape[:2], 4 * self.hidden_size))
        to_cell = to_hidden = np.zeros_like(hidden[0])
        for t in reversed(range(len(steps))):
            to_sums[:, t], to_cell = lstm_step_backward(to_cell, cotangent[:, t] + to_hidden, steps[t])
            to_hidden = to_sums[:, t] @ weights["cell.dense_h.kernel"].T
        to_bias = to_sums.sum(axis=(0, 1))
        gradients = {
            "cell.dense_i.kernel": np.einsum("btf,btg->fg", inputs, to_sums),
            "cell.dense_i.bias": to_bias,
            "cell.dense_h.kernel": np.einsum("bth,btg->hg", np.stack(hidden, axis=1), to_sums),
            "cell.dense_h.bias": to_bias,
        }
        return to_sums @ weights["cell.dense_i.kernel"].T, gradients


class LSTM(Network):
    """Tokens, LSTM layers, and a dense head.

    Its arguments are those of `jaxnets.LSTM`, without `init` and `rngs`.

    Inputs are whole numbers (B, T); logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 10000,
        width: int = 650,
        hidden_size: int = 650,
        depth: int = 2,
        padding: int | None = None,
    ) -> None:
        self.padding = padding
        self.token = Embedding("token", vocab_size, width)
        sizes = [width, *[hidden_size] * depth]
        self.layers = [PackedLSTM(f"layers.{i}", sizes[i], hidden_size) for i in range(depth)]
        self.head = Dense("head", hidden_size, vocab_size)
        super().__init__([self.token, *self.layers, self.head])

    def loss(self, logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
        """The mean cross-entropy of the labels that are not −100, and its gradient."""
        return labelled_cross_entropy(logits, labels)

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; there is nothing to cache besides the calls."""
        lengths = None if self.padding is None else (inputs != self.padding).sum(axis=1)
        hidden = call(self.token, run, inputs)
        for layer in self.layers:
            hidden = layer.forward(run, layer.path, hidden, lengths)
        return call(self.head, run, hidden), None

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last layer first."""
        for module in (self.head, *self.layers[::-1], self.token):
            cotangent = back(module, run, gradients, cotangent)
        return cotangent
