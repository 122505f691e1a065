"""Functions at the points where their value or their gradient is a convention: zeros, ties, constants, bad branches.

The inputs have them: the first row of each example is zero, the second constant, the third has a tie for its maximum.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

from parity.pair.options import Checks

BATCH, ROWS, FEATURES = 3, 5, 6


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    A function is "guarded" if it is computed by a convention that both frameworks can have, "plain" if by its
    framework's own.

    Args:
        absolute: |x| at 0; guarded, its gradient is 0.
        largest: the maximum of a row; guarded, a tie's gradient goes to the first.
        norm: the norm of a row; guarded, the gradient of a zero row is 0.
        deviation: the standard deviation of a row; guarded, the gradient of a constant row is 0.
        ddof: number that is subtracted from the deviation's divisor.
        root: √x where x > 0, else 0; guarded, the branch that is not taken is safe.
        act: the activation, "gelu", "tanh gelu", "quick gelu" or "silu".
        split: split of the features: into two "sections", or into "chunks" of two.
    """

    absolute: str = "guarded"
    largest: str = "guarded"
    norm: str = "guarded"
    deviation: str = "guarded"
    ddof: int = 0
    root: str = "guarded"
    act: str = "gelu"
    split: str = "sections"


class TorchSpecial(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.s = s
        self.inner = nn.Linear(FEATURES, FEATURES)
        self.outer = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.acted(self.inner(x))
        return self.outer(torch.stack([self.absolute(x), *self.rows(x), self.halves(hidden)], -1))

    def absolute(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs().sum(-1)

    def rows(self, x: torch.Tensor) -> list[torch.Tensor]:
        s, zero = self.s, torch.zeros((), dtype=x.dtype)
        largest = x.max(-1).values if s.largest == "guarded" else x.amax(-1)
        norm = x.norm(dim=-1)
        centred = (x - x.mean(-1, keepdim=True)).square().sum(-1) / (FEATURES - s.ddof)
        safe = torch.where(centred > 0, centred, 1.0)
        deviation = torch.where(centred > 0, safe.sqrt(), zero) if s.deviation == "guarded" else centred.sqrt()
        first = x[..., 0]
        inside = torch.where(first > 0, first, 1.0) if s.root == "guarded" else first
        root = torch.where(first > 0, inside.sqrt(), zero)
        return [largest, norm, deviation, root]

    def acted(self, x: torch.Tensor) -> torch.Tensor:
        if self.s.act == "quick gelu":
            return x * torch.sigmoid(1.702 * x)
        if self.s.act == "silu":
            return nn.functional.silu(x)
        return nn.functional.gelu(x, approximate="tanh" if self.s.act == "tanh gelu" else "none")

    def halves(self, x: torch.Tensor) -> torch.Tensor:
        parts = x.chunk(2, -1) if self.s.split == "sections" else x.split(2, -1)
        return (parts[0] * parts[1][..., : parts[0].shape[-1]]).sum(-1)


class FlaxSpecial(nnx.Module):
    def __init__(self, s: Settings, rngs: nnx.Rngs) -> None:
        self.s = s
        self.inner = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.outer = nnx.Linear(6, 4, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        hidden = self.acted(self.inner(x))
        return self.outer(jnp.stack([self.absolute(x), *self.rows(x), self.halves(hidden)], -1))

    def absolute(self, x: jax.Array) -> jax.Array:
        if self.s.absolute == "plain":
            return jnp.abs(x).sum(-1)
        return jnp.where(x == 0, 0.0, jnp.abs(jnp.where(x == 0, 1.0, x))).sum(-1)

    def rows(self, x: jax.Array) -> list[jax.Array]:
        s = self.s
        first_of_largest = jax.lax.stop_gradient(jnp.argmax(x, -1))[..., None]
        largest = jnp.take_along_axis(x, first_of_largest, -1)[..., 0] if s.largest == "guarded" else x.max(-1)
        square = (x**2).sum(-1)
        norm = _root(square) if s.norm == "guarded" else jnp.linalg.norm(x, axis=-1)
        centred = ((x - x.mean(-1, keepdims=True)) ** 2).sum(-1) / (FEATURES - s.ddof)
        deviation = _root(centred) if s.deviation == "guarded" else jnp.sqrt(centred)
        first = x[..., 0]
        root = _root(first) if s.root == "guarded" else jnp.where(first > 0, jnp.sqrt(first), 0.0)
        return [largest, norm, deviation, root]

    def acted(self, x: jax.Array) -> jax.Array:
        if self.s.act == "quick gelu":
            return x * jax.nn.sigmoid(1.702 * x)
        if self.s.act == "silu":
            return jax.nn.silu(x)
        return jax.nn.gelu(x, approximate=self.s.act == "tanh gelu")

    def halves(self, x: jax.Array) -> jax.Array:
        parts = jnp.split(x, 2, -1) if self.s.split == "sections" else jnp.split(x, FEATURES // 2, -1)
        return (parts[0] * parts[1]).sum(-1)


def _root(x: jax.Array) -> jax.Array:
    """√x where x > 0, else 0, with a gradient of 0 there."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, rows, F), and the options."""
    x = np.random.default_rng(9).standard_normal((BATCH, ROWS, FEATURES)).astype(np.float32)
    x[:, 0], x[:, 1], x[:, 2, 1:3] = 0.0, 0.5, 3.0
    return FlaxSpecial(flax, nnx.Rngs(0)), TorchSpecial(torch), x, {"checks": Checks(probes=False)}
