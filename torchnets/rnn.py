"""Vanilla recurrent network that classifies a sequence by its last hidden state."""

import torch
from torch import nn

from torchnets.layers import Generator, dense


class RNN(nn.Module):
    """h_t = tanh(W_hx·x_t + W_hh·h_{t−1} + b_h) from h_0 = 0; logits = W_ph·h_last + b_p.

    Args:
        input_size: features of one element of the sequence.
        hidden_size: features of the hidden state.
        num_classes: number of logits.
        init: "default" (PyTorch's `Linear`) or "randn" (0.1·N(0, 1) and zero biases).
        generator: source of the initial weights.

    Differs from `torch.nn.RNN`: one bias, not two. Source: the study, part III.
    """

    def __init__(
        self,
        *,
        input_size: int = 1,
        hidden_size: int = 128,
        num_classes: int = 10,
        init: str = "default",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.hx = dense(input_size, hidden_size, bias=False, init=init, generator=generator)
        self.hh = dense(hidden_size, hidden_size, init=init, generator=generator)
        self.ph = dense(hidden_size, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of sequences x (B, T, F), T ≥ 1."""
        h = x.new_zeros(x.shape[0], self.hidden_size)
        for x_t in x.unbind(1):
            h = torch.tanh(self.hx(x_t) + self.hh(h))
        return self.ph(h)
