"""A layer of long short-term memory over sequences of different lengths."""

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator


class PackedLSTM(nn.LSTM):
    """One LSTM layer from a state of zeros, (B, T, F) → (B, T, H); what lies beyond a sequence's end is 0.

    With a = W_i·x_t + b_i + W_h·h_{t−1} + b_h, (B, 4·H) in the order i, f, g, o, which is that of Flax too:

        c_t = σ(f)·c_{t−1} + σ(i)·tanh(g)    h_t = σ(o)·tanh(c_t)

    `weight_ih_l0` and `bias_ih_l0` are W_i and b_i, Flax's `cell.dense_i`; `weight_hh_l0` and `bias_hh_l0` are W_h and
    b_h, Flax's `cell.dense_h`.

    Args:
        in_features: features F of a position.
        hidden_size: features H of the state.
        init: name of the initial distribution.
        generator: source of the initial weights.

    Differs from `torch.nn.LSTM`: it takes the lengths and packs by itself, gives no state, and with init "default"
    draws W_i and b_i within ±1/√F, not ±1/√H. Source:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html.
    """

    def __init__(self, in_features: int, hidden_size: int, *, init: str, generator: Generator) -> None:
        super().__init__(
            in_features, hidden_size, num_layers=1, bias=True, batch_first=True, dropout=0.0, bidirectional=False
        )
        dense_i = dense(in_features, 4 * hidden_size, init=init, generator=generator)
        dense_h = dense(hidden_size, 4 * hidden_size, init=init, generator=generator)
        self.weight_ih_l0, self.bias_ih_l0 = dense_i.weight, dense_i.bias
        self.weight_hh_l0, self.bias_hh_l0 = dense_h.weight, dense_h.bias

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> Any:  # type: ignore[override] # ours are fewer
        """Run over x (B, T, F), of which each sequence has the first of `lengths` (B,), 1 to T; None is all."""
        if lengths is None:
            return super().forward(x)[0]
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = super().forward(packed)
        return pad_packed_sequence(out, batch_first=True, padding_value=0.0, total_length=x.shape[1])[0]
