"""Gated recurrent network that classifies a sequence by its last hidden state."""

import torch
from torch import nn

from torchnets.layers import Generator, dense, recurrent


class GRUCell(nn.Module):
    """One step: x_t (B, F) and h_{t−1} (B, H) → h_t (B, H).

    With a = W_hx·x_t + b_hx and c = W_hh·h_{t−1} + b_hh, each (B, 3·H) in the order r, z, n:

        r = σ(a_r + c_r)    z = σ(a_z + c_z)    n = tanh(a_n + r·c_n)    h_t = (1 − z)·n + z·h_{t−1}

    Differs from Cho et al. 2014 and from Keras with `reset_after=False`: r scales W_hh·h + b_hh, not h before the
    product. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html.
    """

    def __init__(self, input_size: int, hidden_size: int, *, init: str, generator: Generator) -> None:
        super().__init__()
        self.hx = dense(input_size, 3 * hidden_size, init=init, generator=generator)
        self.hh = recurrent(hidden_size, gates=3, init=init, generator=generator)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """The hidden state after x (B, F), from the one before, h (B, H)."""
        x_r, x_z, x_n = self.hx(x).chunk(3, dim=-1)
        h_r, h_z, h_n = self.hh(h).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        return (1 - z) * n + z * h


class GRU(nn.Module):
    """h_t = cell(x_t, h_{t−1}) from h_0 = 0; logits = W_ph·h_last + b_p.

    Args:
        input_size: features of one element of the sequence.
        hidden_size: features of the hidden state.
        num_classes: number of logits.
        init: "default" (PyTorch's `Linear`), "randn" (0.1·N(0, 1) and zero biases) or "orthogonal" (as "default", but
            the recurrent kernel of each gate is a random orthogonal matrix and its bias 0).
        generator: source of the initial weights.

    Differs from `torch.nn.GRU`: its last state is read out, and "default" draws `hx` within ±1/√F, not ±1/√H. Differs
    from `flax.nnx.GRUCell`: two biases, not one. Source: ours, beyond the study.
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
        self.cell = GRUCell(input_size, hidden_size, init=init, generator=generator)
        self.ph = dense(hidden_size, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of sequences x (B, T, F), T ≥ 1."""
        h = x.new_zeros(x.shape[0], self.hidden_size)
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return self.ph(h)
