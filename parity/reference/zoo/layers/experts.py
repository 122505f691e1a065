"""A feed-forward layer of experts, by hand."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, sigmoid
from parity.reference.modules import Dense, Shapes
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.decoder import GatedFeedForward

Chosen = NDArray[np.intp]


class RoutedCache(NamedTuple):
    """The arrays that the backward pass needs, of N positions, E experts, and K experts for each position.

    Attributes:
        rows: what comes in, (N, C).
        probabilities: the softmax over all experts, (N, E).
        chosen: the experts of each position, (N, K).
        shares: what each of them counts, (N, K).
        outputs: what each of them gives, (N, K, C).
    """

    rows: Array
    probabilities: Array
    chosen: Chosen
    shares: Array
    outputs: Array


def choose_forward(probabilities: Array, count: int, *, renormalize: bool) -> tuple[Array, Chosen]:
    """The `count` largest of probabilities (N, E), as they count, and their experts; the lower number first on a tie.

    Args:
        probabilities: (N, E), rows add up to 1.
        count: how many are chosen, K.
        renormalize: whether those are divided by their sum.
    """
    chosen = np.argsort(-probabilities, axis=-1, kind="stable")[:, :count]
    shares = np.take_along_axis(probabilities, chosen, axis=-1)
    return shares / shares.sum(axis=-1, keepdims=True) if renormalize else shares, chosen


def choose_backward(cotangent: Array, cache: RoutedCache, *, renormalize: bool) -> Array:
    """Differentiate the shares (N, K) by the scores (N, E) under the softmax; which are chosen has no gradient."""
    _, probabilities, chosen, shares, _ = cache
    if renormalize:
        total = np.take_along_axis(probabilities, chosen, axis=-1).sum(axis=-1, keepdims=True)
        cotangent = (cotangent - (cotangent * shares).sum(axis=-1, keepdims=True)) / total
    spread = np.zeros_like(probabilities)
    np.put_along_axis(spread, chosen, cotangent, axis=-1)
    return probabilities * (spread - (spread * probabilities).sum(axis=-1, keepdims=True))


def load_balance_forward(probabilities: Array, chosen: Chosen) -> float:
    """The auxiliary loss E · Σ fₑ·Pₑ, fₑ being the part of the choices that fell on e and Pₑ its mean probability."""
    experts = probabilities.shape[-1]
    counts = np.bincount(chosen.ravel(), minlength=experts)
    return float(experts * (counts / chosen.size) @ probabilities.mean(axis=0))


class RoutedFeedForward(Composite):
    """The sum of the chosen experts' outputs, each times its share, and of the shared expert's.

    Args:
        path: the module's place in the network.
        width: features C of the input and of the output.
        experts, experts_per_token: number of experts E, and K of them that a position goes through.
        hidden, shared_hidden: features inside each expert, and inside the shared one; 0 has none.
        renormalize: whether the K shares are divided by their sum.

    Source: https://arxiv.org/abs/2401.06066.
    """

    def __init__(
        self,
        path: str,
        width: int,
        experts: int,
        experts_per_token: int,
        hidden: int,
        *,
        shared_hidden: int,
        renormalize: bool,
    ) -> None:
        self.count, self.renormalize = experts_per_token, renormalize
        self.sizes = experts, width, hidden
        self.router = Dense(f"{path}.router", width, experts, has_bias=False)
        self.shared = [GatedFeedForward(f"{path}.shared", width, shared_hidden)] if shared_hidden else []
        super().__init__(path, self.router, *self.shared)

    def shapes(self) -> Shapes:
        """Shapes of the experts' kernels, stacked, and those of the modules inside."""
        experts, width, hidden = self.sizes
        kernels = {
            "gate": (experts, width, hidden),
            "hidden": (experts, width, hidden),
            "out": (experts, hidden, width),
        }
        return {f"{self.path}.{name}": shape for name, shape in kernels.items()} | super().shapes()

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run the router, each expert on the positions that chose it, and the shared expert."""
        rows = inputs.reshape(-1, inputs.shape[-1])
        scores = call(self.router, run, rows)
        probabilities = np.exp(scores - scores.max(axis=-1, keepdims=True))
        probabilities /= probabilities.sum(axis=-1, keepdims=True)
        shares, chosen = choose_forward(probabilities, self.count, renormalize=self.renormalize)
        outputs = np.empty((*chosen.shape, rows.shape[-1]))
        for expert in range(self.sizes[0]):
            gate, hidden, out = self._kernels(run, expert)
            x = rows[np.nonzero(chosen == expert)[0]]
            outputs[chosen == expert] = x @ gate * sigmoid(x @ gate) * (x @ hidden) @ out
        mixed = np.einsum("nk,nkc->nc", shares, outputs).reshape(inputs.shape)
        for shared in self.shared:
            mixed = mixed + call(shared, run, inputs)
        return run.record(call_, inputs, mixed, RoutedCache(rows, probabilities, chosen, shares, outputs))

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        cache: RoutedCache = run.cache[call_]
        to_rows = cotangent.reshape(cache.rows.shape)
        to_shares = np.einsum("nc,nkc->nk", to_rows, cache.outputs)
        to_scores = choose_backward(to_shares, cache, renormalize=self.renormalize)
        to_inputs = self._experts_back(run, gradients, cache, cache.shares[..., None] * to_rows[:, None])
        to_inputs += back(self.router, run, gradients, to_scores)
        to_inputs = to_inputs.reshape(cotangent.shape)
        for shared in self.shared:
            to_inputs = to_inputs + back(shared, run, gradients, cotangent)
        return to_inputs

    def _experts_back(self, run: Run, gradients: Gradients, cache: RoutedCache, cotangent: Array) -> Array:
        """Run each expert backward from the cotangents (N, K, C) of what it gave; (N, C)."""
        to_rows = np.zeros_like(cache.rows)
        kernels = {name: np.zeros_like(run.weights[f"{self.path}.{name}"]) for name in ("gate", "hidden", "out")}
        for expert in range(self.sizes[0]):
            gate, hidden, out = self._kernels(run, expert)
            places = np.nonzero(cache.chosen == expert)[0]
            x, to_output = cache.rows[places], cotangent[cache.chosen == expert]
            first, second = x @ gate, x @ hidden
            share = sigmoid(first)
            to_product = to_output @ out.T
            to_first = to_product * second * (share + first * share * (1 - share))
            to_second = to_product * first * share
            kernels["out"][expert] = (first * share * second).T @ to_output
            kernels["gate"][expert], kernels["hidden"][expert] = x.T @ to_first, x.T @ to_second
            np.add.at(to_rows, places, to_first @ gate.T + to_second @ hidden.T)
        gradients.parameters |= {f"{self.path}.{name}": kernel for name, kernel in kernels.items()}
        return to_rows

    def _kernels(self, run: Run, expert: int) -> tuple[Array, Array, Array]:
        gate, hidden, out = (run.weights[f"{self.path}.{name}"][expert] for name in ("gate", "hidden", "out"))
        return gate, hidden, out
