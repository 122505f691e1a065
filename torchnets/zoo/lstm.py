"""Language model of LSTM layers."""

import torch
from torch import nn

from torchnets.layers import Generator, PackedLSTM, dense, embedding
from torchnets.losses import labelled_cross_entropy


class LSTM(nn.Module):
    """Stacked LSTM layers that predict the next token, over texts of different lengths in one batch.

    The defaults are the medium network of the source, 19,780,400 parameters, which later tables give as 20 million.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features C of an embedded token.
        hidden_size: features H of each layer's state.
        depth: number of layers.
        padding: token that fills a text up at its end, and that no text has; None if all texts are equally long.
        init: "default" (PyTorch's `Linear` and `Embedding`), "normal" (N(0, 0.02²) and zero biases) or "randn".
        generator: source of the initial weights.

    Each text has a token at least. Logits at padding are those of a state of zeros; `loss` leaves out labels of −100.

    Differs from the source: no dropout, and a text begins from a state of zeros, not from the one before it. Source:
    https://arxiv.org/abs/1409.2329.
    """

    loss = staticmethod(labelled_cross_entropy)

    def __init__(
        self,
        *,
        vocab_size: int = 10000,
        width: int = 650,
        hidden_size: int = 650,
        depth: int = 2,
        padding: int | None = None,
        init: str = "default",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.token = embedding(vocab_size, width, init=init, generator=generator)
        self.layers = nn.ModuleList(
            PackedLSTM(width if i == 0 else hidden_size, hidden_size, init=init, generator=generator)
            for i in range(depth)
        )
        self.head = dense(hidden_size, vocab_size, init=init, generator=generator)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (B, T, vocabulary) of what comes after each of the tokens (B, T), whole numbers."""
        lengths = None if self.padding is None else (tokens != self.padding).sum(1)
        x = self.token(tokens)
        for layer in self.layers:
            x = layer(x, lengths)
        return self.head(x)
