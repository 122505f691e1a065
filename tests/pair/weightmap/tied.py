"""Small language models with a head of its own, or one that is the table of the embedding."""

import jax
import numpy as np
import torch
from flax import nnx
from torch import nn as tnn

TOKENS = np.random.default_rng(0).integers(0, 11, (2, 5)).astype(np.int32)


class Untied(nnx.Module):
    def __init__(self, bias: bool = False) -> None:
        self.embed = nnx.Embed(11, 4, rngs=nnx.Rngs(0))
        self.head = nnx.Linear(4, 11, use_bias=bias, rngs=nnx.Rngs(1))

    def __call__(self, tokens: jax.Array) -> jax.Array:
        return self.head(jax.numpy.tanh(self.embed(tokens)))


class Tied(nnx.Module):
    def __init__(self) -> None:
        self.embed = nnx.Embed(11, 4, rngs=nnx.Rngs(0))

    def __call__(self, tokens: jax.Array) -> jax.Array:
        return self.embed.attend(jax.numpy.tanh(self.embed(tokens)))


class TorchModel(tnn.Module):
    def __init__(self, tied: bool, bias: bool = False, bent: bool = False) -> None:
        super().__init__()
        self.wte, self.head, self.bent = tnn.Embedding(11, 4), tnn.Linear(4, 11, bias=bias), bent
        if tied:
            self.head.weight = self.wte.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.wte(tokens.long())
        return self.head(x.sin() if self.bent else x.tanh())


class TorchFunctional(tnn.Module):
    """Ties without saying so."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = tnn.Embedding(11, 4)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return tnn.functional.linear(self.wte(tokens.long()).tanh(), self.wte.weight)
