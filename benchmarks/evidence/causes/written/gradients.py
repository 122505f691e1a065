"""A network whose backward pass is written by hand in places: what is stopped, passed through, scaled, turned, cut."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, WIDTH, HIDDEN, CODES = 4, 5, 7, 6


@jax.custom_vjp
def flax_reversed(x: jax.Array) -> jax.Array:
    return x


def _flax_keep(x: jax.Array) -> Any:
    return x, None


def _flax_reverse(_: None, g: jax.Array) -> Any:
    return (-0.5 * g,)


flax_reversed.defvjp(_flax_keep, _flax_reverse)


@jax.custom_vjp
def flax_cut(x: jax.Array) -> jax.Array:
    return x


def _flax_cut(_: None, g: jax.Array) -> Any:
    return (jnp.clip(g, -0.3, 0.3),)


flax_cut.defvjp(_flax_keep, _flax_cut)


class FlaxGradients(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(WIDTH, HIDDEN, rngs=rngs)
        self.second = nnx.Linear(HIDDEN, HIDDEN, rngs=rngs)
        self.third = nnx.Linear(HIDDEN, HIDDEN, rngs=rngs)
        self.domain = nnx.Linear(HIDDEN, 3, rngs=rngs)
        self.head = nnx.Linear(HIDDEN, 2, rngs=rngs)
        self.codes = nnx.Param(jax.random.normal(rngs.params(), (CODES, HIDDEN)))

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        h = jnp.tanh(self.first(x))
        target = jax.lax.stop_gradient(self.second(h))
        far = jnp.mean((h - target) ** 2, axis=-1)
        u = 4.0 * h
        u = u + jax.lax.stop_gradient(jnp.round(u) - u)
        v = self.third(u)
        v = flax_cut(v)
        apart = jnp.sum((v[:, None, :] - self.codes[...]) ** 2, axis=-1)
        nearest = self.codes[...][jnp.argmin(apart, axis=-1)]
        commit = jnp.mean((v - jax.lax.stop_gradient(nearest)) ** 2, axis=-1)
        w = 0.3 * v + jax.lax.stop_gradient(0.7 * v)
        domain = self.domain(flax_reversed(w))
        return self.head(jnp.sin(w)), domain, far + commit


class TorchReversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        return -0.5 * g


class TorchCut(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        return g.clamp(-0.3, 0.3)


class TorchGradients(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(WIDTH, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.third = nn.Linear(HIDDEN, HIDDEN)
        self.domain = nn.Linear(HIDDEN, 3)
        self.head = nn.Linear(HIDDEN, 2)
        self.codes = nn.Parameter(torch.randn(CODES, HIDDEN))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        h = torch.tanh(self.first(x))
        with torch.no_grad():
            target = self.second(h)
        far = (h - target).pow(2).mean(dim=-1)
        u = 4.0 * h
        u = u + (torch.round(u) - u).detach()
        v = self.third(u)
        v = TorchCut.apply(v)
        apart = (v[:, None, :] - self.codes).pow(2).sum(dim=-1)
        nearest = self.codes[apart.argmin(dim=-1)]
        commit = (v - nearest.detach()).pow(2).mean(dim=-1)
        w = 0.3 * v + (0.7 * v).detach()
        domain = self.domain(TorchReversed.apply(w))
        return self.head(torch.sin(w)), domain, far + commit


def pair() -> tuple[Any, Any, Any]:
    x = np.random.default_rng(9).standard_normal((BATCH, WIDTH)).astype(np.float32)
    return FlaxGradients(nnx.Rngs(0)), TorchGradients(), x
