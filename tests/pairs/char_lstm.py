"""A language model over characters with torch.nn.LSTM against ports in Linen.

Public: `torch.nn.Embedding`, a two-layer `torch.nn.LSTM` and `torch.nn.Linear`, in the wrapper of PyTorch's tutorials.
Habits of the port: setup() with a list of nn.RNN, one bias where PyTorch has two, and, where `cell="own"`, a cell
of its own with one Dense for the input and one for the state, gates in PyTorch's order.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn as tnn

SYMBOLS, EMBEDDED, HIDDEN = 29, 12, 20

Carry = tuple[jax.Array, jax.Array]


class CharModel(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = tnn.Embedding(SYMBOLS, EMBEDDED)
        self.lstm = tnn.LSTM(EMBEDDED, HIDDEN, num_layers=2, bias=True, batch_first=True, dropout=0.0)
        self.fc = tnn.Linear(HIDDEN, SYMBOLS)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        output, _ = self.lstm(self.embedding(text))
        return self.fc(output)


class OwnCell(nn.RNNCellBase):
    hidden: int
    bias: bool = True
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
        cell, state = carry
        gates = nn.Dense(4 * self.hidden, use_bias=self.bias, name="from_input")(x)
        gates = gates + nn.Dense(4 * self.hidden, use_bias=False, name="from_state")(state)
        enter, forget, new, leave = jnp.split(gates, 4, axis=-1)
        cell = nn.sigmoid(forget) * cell + nn.sigmoid(enter) * jnp.tanh(new)
        state = nn.sigmoid(leave) * jnp.tanh(cell)
        return (cell, state), state

    @nn.nowrap
    def initialize_carry(self, rng: jax.Array, input_shape: tuple[int, ...]) -> Carry:
        zeros = jnp.zeros((*input_shape[:-1], self.hidden), self.param_dtype)
        return zeros, zeros

    @property
    def num_feature_axes(self) -> int:
        return 1


class Characters(nn.Module):
    cell: str = "flax"
    bias: bool = True
    gate: Any = nn.sigmoid
    handed_on: bool = False

    def setup(self) -> None:
        own = partial(OwnCell, HIDDEN, self.bias)
        flax = partial(nn.OptimizedLSTMCell, HIDDEN, gate_fn=self.gate)
        make = own if self.cell == "own" else flax
        self.table = nn.Embed(SYMBOLS, EMBEDDED)
        self.recurrent = [nn.RNN(make(), return_carry=True) for _ in range(2)]
        self.logits = nn.Dense(SYMBOLS)

    def __call__(self, text: jax.Array) -> jax.Array:
        x, carry = self.table(text), None
        for layer in self.recurrent:
            carry, x = layer(x, initial_carry=carry if self.handed_on else None)
        return self.logits(x)


def char_lstm(
    cell: str = "flax", bias: bool = True, gate: Any = nn.sigmoid, handed_on: bool = False
) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair. Wrong are: an own cell without `bias`, Keras' old `gate=nn.hard_sigmoid`, and the first layer's last
    carry `handed_on` as the second layer's first."""
    text = np.random.default_rng(7).integers(0, SYMBOLS, (2, 11))
    port = Characters(cell, bias, gate, handed_on)
    return (port, port.init(jax.random.key(0), text)), CharModel(), text, {}
