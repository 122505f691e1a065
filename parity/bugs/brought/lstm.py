"""An LSTM written out on both sides, from a state that is not zero."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, FEATURES, HIDDEN = 3, 4, 5, 7


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        gates: order of the gates in the packed projections: "ifgo", or "igfo", which is Haiku's.
        biases: "both", or "input" where only that of the input's projection is used.
        carry: order in which the given state is taken apart: "hc" or "ch".
        forget: number that is added to the forget gate before its sigmoid.
    """

    gates: str = "ifgo"
    biases: str = "both"
    carry: str = "hc"
    forget: float = 0.0


class TorchLSTM(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.input = nn.Linear(FEATURES, 4 * HIDDEN)
        self.hidden = nn.Linear(HIDDEN, 4 * HIDDEN)
        self.head = nn.Linear(HIDDEN, 2)

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        s = self.settings
        h, c = state if s.carry == "hc" else (state[1], state[0])
        for t in range(TIME):
            both = self.hidden(h) if s.biases == "both" else nn.functional.linear(h, self.hidden.weight)
            parts = dict(zip(s.gates, (self.input(x[:, t]) + both).chunk(4, dim=-1), strict=True))
            i, f, o = (torch.sigmoid(parts[name] + (s.forget if name == "f" else 0.0)) for name in "ifo")
            c = f * c + i * torch.tanh(parts["g"])
            h = o * torch.tanh(c)
        return self.head(h)


class FlaxLSTM(nnx.Module):
    def __init__(self, settings: Settings, rngs: nnx.Rngs) -> None:
        self.settings = settings
        self.input = nnx.Linear(FEATURES, 4 * HIDDEN, rngs=rngs)
        self.hidden = nnx.Linear(HIDDEN, 4 * HIDDEN, rngs=rngs)
        self.head = nnx.Linear(HIDDEN, 2, rngs=rngs)

    def __call__(self, x: jax.Array, state: jax.Array) -> jax.Array:
        s = self.settings
        h, c = state if s.carry == "hc" else (state[1], state[0])
        for t in range(TIME):
            both = self.hidden(h) if s.biases == "both" else h @ self.hidden.kernel
            parts = dict(zip(s.gates, jnp.split(self.input(x[:, t]) + both, 4, axis=-1), strict=True))
            i, f, o = (jax.nn.sigmoid(parts[name] + (s.forget if name == "f" else 0.0)) for name in "ifo")
            c = f * c + i * jnp.tanh(parts["g"])
            h = o * jnp.tanh(c)
        return self.head(h)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, T, F) with the states (2, B, H), and no options."""
    rng = np.random.default_rng(4)
    x, state = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((BATCH, TIME, FEATURES), (2, BATCH, HIDDEN))
    )
    return FlaxLSTM(flax, nnx.Rngs(0)), TorchLSTM(torch), (x, state), {}
