"""A selective state space, written flat: a scan in JAX, a loop in PyTorch."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

BATCH, TIME, WIDTH, STATES = 2, 6, 5, 3


class FlaxScan(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        draw = jax.nn.initializers.normal(0.5)
        self.a_log = nnx.Param(draw(rngs.params(), (WIDTH, STATES)))
        self.skip = nnx.Param(draw(rngs.params(), (WIDTH,)))
        self.to_step = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))
        self.to_b = nnx.Param(draw(rngs.params(), (WIDTH, STATES)))
        self.to_c = nnx.Param(draw(rngs.params(), (WIDTH, STATES)))
        self.gate = nnx.Param(draw(rngs.params(), (WIDTH, WIDTH)))

    def __call__(self, x: jax.Array) -> jax.Array:
        step = jax.nn.softplus(x @ self.to_step[...])
        b = x @ self.to_b[...]
        c = x @ self.to_c[...]
        a = -jnp.exp(self.a_log[...])
        decay = jnp.exp(step[..., None] * a)
        drive = step[..., None] * b[:, :, None, :] * x[..., None]

        def advance(state: jax.Array, at: Any) -> Any:
            kept, new, read = at
            state = kept * state + new
            return state, jnp.sum(state * read[:, None, :], axis=-1)

        start = jnp.zeros((x.shape[0], WIDTH, STATES))
        along = jax.tree.map(lambda array: jnp.moveaxis(array, 1, 0), (decay, drive, c))
        _, seen = jax.lax.scan(advance, start, along)
        y = jnp.moveaxis(seen, 0, 1)
        y = y + self.skip[...] * x
        return y * jax.nn.silu(x @ self.gate[...])


class TorchScan(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a_log = nn.Parameter(0.5 * torch.randn(WIDTH, STATES))
        self.skip = nn.Parameter(0.5 * torch.randn(WIDTH))
        self.to_step = nn.Parameter(0.5 * torch.randn(WIDTH, WIDTH))
        self.to_b = nn.Parameter(0.5 * torch.randn(WIDTH, STATES))
        self.to_c = nn.Parameter(0.5 * torch.randn(WIDTH, STATES))
        self.gate = nn.Parameter(0.5 * torch.randn(WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        step = F.softplus(x @ self.to_step)
        b = x @ self.to_b
        c = x @ self.to_c
        a = -torch.exp(self.a_log)
        decay = torch.exp(step.unsqueeze(-1) * a)
        drive = step.unsqueeze(-1) * b.unsqueeze(2) * x.unsqueeze(-1)
        state = torch.zeros(x.shape[0], WIDTH, STATES)
        seen = []
        for t in range(x.shape[1]):
            state = decay[:, t] * state + drive[:, t]
            seen.append((state * c[:, t, None, :]).sum(dim=-1))
        y = torch.stack(seen, dim=1)
        y = y + self.skip * x
        return y * F.silu(x @ self.gate)


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(4).standard_normal((BATCH, TIME, WIDTH)).astype(np.float32)
    return FlaxScan(nnx.Rngs(0)), TorchScan(), x
