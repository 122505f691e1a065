"""A layer of long short-term memory over sequences of different lengths."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers.dense import dense


class PackedLSTM(nnx.RNN):
    """One LSTM layer from a state of zeros, (B, T, F) → (B, T, H); what lies beyond a sequence's end is 0.

    With a = W_i·x_t + b_i + W_h·h_{t−1} + b_h, (B, 4·H) in the order i, f, g, o, which is that of PyTorch too:

        c_t = σ(f)·c_{t−1} + σ(i)·tanh(g)    h_t = σ(o)·tanh(c_t)

    `cell.dense_i` holds W_i and b_i, PyTorch's `weight_ih_l0` and `bias_ih_l0`; `cell.dense_h` holds W_h and b_h,
    PyTorch's `weight_hh_l0` and `bias_hh_l0`.

    Args:
        in_features: features F of a position.
        hidden_size: features H of the state.
        init: name of the initial distribution.
        rngs: source of the initial weights.

    Differs from `nnx.RNN` of an `nnx.OptimizedLSTMCell`: two biases, not one, since the sum of two moves twice as far
    in a step of training; the first state has the dtype of x; outputs beyond the end are 0, where `seq_lengths` alone
    changes none of them. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.
    """

    cell: nnx.OptimizedLSTMCell

    def __init__(self, in_features: int, hidden_size: int, *, init: str, rngs: nnx.Rngs) -> None:
        cell = nnx.OptimizedLSTMCell(
            in_features, hidden_size, gate_fn=nnx.sigmoid, activation_fn=nnx.tanh, keep_rngs=False, rngs=rngs
        )
        cell.dense_i = dense(in_features, 4 * hidden_size, init=init, rngs=rngs)
        cell.dense_h = dense(hidden_size, 4 * hidden_size, init=init, rngs=rngs)
        super().__init__(cell, time_major=False, return_carry=False, reverse=False, unroll=1, rngs=False)

    def __call__(self, x: jax.Array, lengths: jax.Array | None = None) -> Any:  # type: ignore[override] # ours are fewer
        """Run over x (B, T, F), of which each sequence has the first of `lengths` (B,), 1 to T; None is all."""
        state = jnp.zeros((x.shape[0], self.cell.hidden_features), x.dtype)
        out = super().__call__(x, initial_carry=(state, state), seq_lengths=lengths)
        if lengths is None:
            return out
        return jnp.where(jnp.arange(x.shape[1])[:, None] < lengths[:, None, None], out, 0)
