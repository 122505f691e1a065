"""Attention by hand."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array
from parity.reference.modules import Dense
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import Composite, back, call

Mask = NDArray[np.bool_]


class AttentionCache(NamedTuple):
    """The arrays that `attend_backward` needs.

    Attributes:
        query: (B, T, H, D).
        key, value: (B, S, H, D).
        shares: how much of each value each query takes, (B, H, T, S); rows add up to 1.
    """

    query: Array
    key: Array
    value: Array
    shares: Array


def attend_forward(query: Array, key: Array, value: Array, mask: Mask | None = None) -> tuple[Array, AttentionCache]:
    """Compute softmax(Q·Kᵀ/√D)·V, head by head.

    Args:
        query: (B, T, H, D).
        key, value: (B, S, H, D).
        mask: which of the S each of the T may look at, (T, S) or (B, 1, 1, S); None hides nothing.

    Returns:
        The output, (B, T, H, D), and the cache. Source: https://arxiv.org/abs/1706.03762.
    """
    scores = np.einsum("bthd,bshd->bhts", query, key) / np.sqrt(query.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return np.einsum("bhts,bshd->bthd", shares, value), AttentionCache(query, key, value, shares)


def attend_backward(cotangent: Array, cache: AttentionCache) -> tuple[Array, Array, Array]:
    """Differentiate `attend_forward`: (B, T, H, D) to the gradients of query, key and value.

    A softmax's gradient is its share times what the cotangent has more than the mean over the shares.
    """
    query, key, value, shares = cache
    to_value = np.einsum("bhts,bthd->bshd", shares, cotangent)
    to_shares = np.einsum("bthd,bshd->bhts", cotangent, value)
    to_scores = shares * (to_shares - (to_shares * shares).sum(axis=-1, keepdims=True)) / np.sqrt(query.shape[-1])
    to_query = np.einsum("bhts,bshd->bthd", to_scores, key)
    return to_query, np.einsum("bhts,bthd->bshd", to_scores, query), to_value


class Attention(Composite):
    """Multi-head self-attention with biases, (B, T, C) to (B, T, C).

    Args:
        path: the module's place in the network.
        width: features C.
        heads: number of heads H.
        causal: whether a position looks at itself and those before it only.
    """

    def __init__(self, path: str, width: int, heads: int, *, causal: bool) -> None:
        self.heads, self.causal = heads, causal
        self.maps = [Dense(f"{path}.{name}", width, width) for name in ("query", "key", "value")]
        self.out = Dense(f"{path}.out", width, width)
        super().__init__(path, *self.maps, self.out)

    def forward(self, run: Run, call_: str, inputs: Array, there: Mask | None = None) -> Array:
        """Run the four maps and what lies between them; five calls. Nothing looks at what is not `there`."""
        batch, length, _ = inputs.shape
        mask = np.tri(length, dtype=bool) if self.causal else None
        if there is not None:
            mask = there[:, None, None, :] if mask is None else mask & there[:, None, None, :]
        query, key, value = (call(part, run, inputs).reshape(batch, length, self.heads, -1) for part in self.maps)
        mixed, cache = attend_forward(query, key, value, mask)
        return run.record(call_, inputs, call(self.out, run, mixed.reshape(inputs.shape)), cache)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        cache: AttentionCache = run.cache[call_]
        mixed = back(self.out, run, gradients, cotangent).reshape(cache.query.shape)
        parts = zip(self.maps, attend_backward(mixed, cache), strict=True)
        return sum(back(part, run, gradients, to.reshape(cotangent.shape)) for part, to in parts)  # type: ignore[return-value] # there are three
