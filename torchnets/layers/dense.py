"""Affine maps, with every default spelled."""

import torch
from torch import nn

from torchnets.layers.initial import Generator, initialize, orthogonal, semi_orthogonal


def dense(in_features: int, out_features: int, *, bias: bool = True, init: str, generator: Generator) -> nn.Linear:
    """Affine map (…, in) → (…, out); weight (out, in)."""
    layer = nn.utils.skip_init(nn.Linear, in_features, out_features, bias=bias)
    initialize(layer, init, in_features, generator)
    return layer


def orthogonal_dense(in_features: int, out_features: int, *, gain: float, init: str, generator: Generator) -> nn.Linear:
    """Affine map (…, in) → (…, out), as PPO's implementations begin it with init "ppo".

    The weight's rows or columns, whichever are fewer, are orthogonal and of norm `gain` then, and the bias is 0.
    All other words are as of `dense`. Source: https://arxiv.org/abs/1312.6120.
    """
    layer = dense(in_features, out_features, init="default" if init == "ppo" else init, generator=generator)
    if init == "ppo":
        layer.weight = semi_orthogonal((out_features, in_features), gain, generator)
        layer.bias = nn.Parameter(torch.zeros(out_features))
    return layer


def recurrent(hidden_size: int, *, gates: int, init: str, generator: Generator) -> nn.Linear:
    """Affine map of a hidden state (B, H) → (B, gates·H); weight (gates·H, H).

    With init "orthogonal" the weight of each gate is a random orthogonal matrix and the bias is 0, so that the state
    keeps its norm where tanh is nearly linear.
    """
    layer = dense(hidden_size, gates * hidden_size, init=init, generator=generator)
    if init == "orthogonal":
        layer.weight = orthogonal((gates * hidden_size, hidden_size), generator)
        layer.bias = nn.Parameter(torch.zeros(gates * hidden_size))
    return layer
