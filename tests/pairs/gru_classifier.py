"""A classifier of sequences with torch.nn.GRU against a port in Linen.

Public: `torch.nn.GRU`, in one direction or both, and `torch.nn.Linear` on its last state. Habits of the port: compact,
nn.RNN and nn.Bidirectional that return carries, the batch first where PyTorch's default is time first.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn as tnn

FEATURES, HIDDEN, CLASSES = 7, 16, 3


class GruClassifier(tnn.Module):
    def __init__(self, bidirectional: bool) -> None:
        super().__init__()
        self.gru = tnn.GRU(FEATURES, HIDDEN, num_layers=1, batch_first=False, bidirectional=bidirectional)
        self.fc = tnn.Linear((1 + bidirectional) * HIDDEN, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, last = self.gru(x)
        return self.fc(torch.cat(list(last), dim=-1))


class Classifier(nn.Module):
    bidirectional: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        forward = nn.RNN(nn.GRUCell(HIDDEN), return_carry=True)
        if self.bidirectional:
            backward = nn.RNN(nn.GRUCell(HIDDEN), return_carry=True)
            (first, second), _ = nn.Bidirectional(forward, backward, return_carry=True)(x)
            state = jnp.concatenate([first, second], axis=-1)
        else:
            state, _ = forward(x)
        return nn.Dense(CLASSES)(state)


def gru_classifier(bidirectional: bool = False) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair."""
    x = np.random.default_rng(8).standard_normal((2, 10, FEATURES)).astype(np.float32)
    port = Classifier(bidirectional)
    return (port, port.init(jax.random.key(0), x)), GruClassifier(bidirectional), x, {"to_torch": "BTF->TBF"}
