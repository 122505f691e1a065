"""Vanilla recurrent network that classifies a sequence by its last hidden state."""

import torch
from torch import nn

from torchnets.layers import Generator, dense, recurrent


class RNN(nn.Module):
    """h_t = tanh(W_hx·x_t + W_hh·h_{t−1} + b_h) from h_0 = 0; logits = W_ph·h_last + b_p.

    Args:
        input_size: features of one element of the sequence.
        hidden_size: features of the hidden state.
        num_classes: number of logits.
        init: "default" (PyTorch's `Linear`), "randn" (0.1·N(0, 1) and zero biases) or "orthogonal" (as "default", but
            the recurrent kernel is a random orthogonal matrix and its bias 0).
        generator: source of the initial weights.

    `tanh` gives h_t, so that a trace of its calls shows h_t and the gradient that reaches it.

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
        self.hh = recurrent(hidden_size, gates=1, init=init, generator=generator)
        self.tanh = nn.Tanh()
        self.ph = dense(hidden_size, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of sequences x (B, T, F), T ≥ 1."""
        h = x.new_zeros(x.shape[0], self.hidden_size)
        for x_t in x.unbind(1):
            h = self.tanh(self.hx(x_t) + self.hh(h))
        return self.ph(h)
