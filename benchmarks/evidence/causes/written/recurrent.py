"""An LSTM and a GRU written flat, over a sequence, with peepholes and a decay between the steps."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, FEATURES, HIDDEN = 3, 4, 5, 6


class FlaxRecurrent(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.4)
        self.w_ih = nnx.Param(draw(rngs.params(), (FEATURES, 4 * HIDDEN)))
        self.w_hh = nnx.Param(draw(rngs.params(), (HIDDEN, 4 * HIDDEN)))
        self.bias = nnx.Param(draw(rngs.params(), (4 * HIDDEN,)))
        self.w_gru = nnx.Param(draw(rngs.params(), (HIDDEN, 3 * HIDDEN)))
        self.u_gru = nnx.Param(draw(rngs.params(), (HIDDEN, 3 * HIDDEN)))
        self.b_gru = nnx.Param(draw(rngs.params(), (3 * HIDDEN,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        h = jnp.zeros((x.shape[0], HIDDEN))
        c = jnp.zeros((x.shape[0], HIDDEN))
        s = jnp.zeros((x.shape[0], HIDDEN))
        outputs = []
        for t in range(x.shape[1]):
            gates = x[:, t] @ self.w_ih[...] + h @ self.w_hh[...] + self.bias[...]
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            a = h @ self.w_gru[...] + self.b_gru[...]
            b = s @ self.u_gru[...]
            ar, az, an = jnp.split(a, 3, axis=-1)
            br, bz, bn = jnp.split(b, 3, axis=-1)
            r = jax.nn.sigmoid(ar + br)
            z = jax.nn.sigmoid(az + bz)
            n = jnp.tanh(an + r * bn)
            s = (1.0 - z) * n + z * s
            outputs.append(s)
        return jnp.stack(outputs, axis=1)


class TorchRecurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w_ih = nn.Parameter(0.4 * torch.randn(FEATURES, 4 * HIDDEN))
        self.w_hh = nn.Parameter(0.4 * torch.randn(HIDDEN, 4 * HIDDEN))
        self.bias = nn.Parameter(0.4 * torch.randn(4 * HIDDEN))
        self.w_gru = nn.Parameter(0.4 * torch.randn(HIDDEN, 3 * HIDDEN))
        self.u_gru = nn.Parameter(0.4 * torch.randn(HIDDEN, 3 * HIDDEN))
        self.b_gru = nn.Parameter(0.4 * torch.randn(3 * HIDDEN))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[0], HIDDEN)
        c = torch.zeros(x.shape[0], HIDDEN)
        s = torch.zeros(x.shape[0], HIDDEN)
        outputs = []
        for t in range(x.shape[1]):
            gates = x[:, t] @ self.w_ih + h @ self.w_hh + self.bias
            i, f, g, o = gates.chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            a = h @ self.w_gru + self.b_gru
            b = s @ self.u_gru
            ar, az, an = a.chunk(3, dim=-1)
            br, bz, bn = b.chunk(3, dim=-1)
            r = torch.sigmoid(ar + br)
            z = torch.sigmoid(az + bz)
            n = torch.tanh(an + r * bn)
            s = (1.0 - z) * n + z * s
            outputs.append(s)
        return torch.stack(outputs, dim=1)


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(2).standard_normal((BATCH, TIME, FEATURES)).astype(np.float32)
    return FlaxRecurrent(nnx.Rngs(0)), TorchRecurrent(), x
