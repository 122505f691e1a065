"""Layer, root-mean-square, group and instance norms of the frameworks, one after the other, between dense layers."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import torch
from flax import nnx
from torch import nn

BATCH, TIME, FEATURES, GROUPS = 3, 5, 12, 4


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        layer_eps, rms_eps, group_eps, instance_eps: epsilon of each norm.
        scale: factor that the root-mean-square norm makes of its weight w: "w", or "1 + w".
        fast: whether Flax's layer norm computes its variance as E[x²] − E[x]².
        groups: number of groups of the group norm.
        affine: whether the instance norm has a scale and a bias.
        offset: number that is added to the input of the layer norm.
    """

    layer_eps: float = 1e-5
    rms_eps: float = 1e-6
    group_eps: float = 1e-5
    instance_eps: float = 1e-5
    scale: str = "w"
    fast: bool = False
    groups: int = GROUPS
    affine: bool = True
    offset: float = 0.0


class TorchOneMore(nn.RMSNorm):
    """A root-mean-square norm that stores its scale as the difference from 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.rms_norm(x, (FEATURES,), 1 + self.weight, self.eps)


class TorchNorms(nn.Module):
    def __init__(self, s: Settings) -> None:
        super().__init__()
        self.offset = s.offset
        self.first = nn.Linear(FEATURES, FEATURES)
        self.layer = nn.LayerNorm(FEATURES, eps=s.layer_eps)
        self.second = nn.Linear(FEATURES, FEATURES)
        self.rms = (nn.RMSNorm if s.scale == "w" else TorchOneMore)(FEATURES, eps=s.rms_eps)
        self.third = nn.Linear(FEATURES, FEATURES)
        self.group = nn.GroupNorm(s.groups, FEATURES, eps=s.group_eps)
        self.fourth = nn.Linear(FEATURES, FEATURES)
        self.instance = nn.InstanceNorm1d(FEATURES, eps=s.instance_eps, affine=s.affine)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(self.first(x) + self.offset)
        x = self.rms(self.second(x))
        x = self.group(self.third(x).mT).mT
        return self.instance(self.fourth(x).mT).mT


class FlaxOneMore(nnx.RMSNorm):
    """A root-mean-square norm that stores its scale as the difference from 1."""

    def __call__(self, x: jax.Array, mask: Any = None) -> jax.Array:
        assert self.scale is not None and mask is None
        return x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + self.epsilon) * (1 + self.scale[...])


class FlaxNorms(nnx.Module):
    def __init__(self, s: Settings, rngs: nnx.Rngs) -> None:
        self.offset = s.offset
        self.first = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.layer = nnx.LayerNorm(FEATURES, epsilon=s.layer_eps, use_fast_variance=s.fast, rngs=rngs)
        self.second = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        rms = nnx.RMSNorm if s.scale == "w" else FlaxOneMore
        self.rms = rms(FEATURES, epsilon=s.rms_eps, use_fast_variance=False, rngs=rngs)
        self.third = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.group = nnx.GroupNorm(
            FEATURES, num_groups=s.groups, epsilon=s.group_eps, use_fast_variance=False, rngs=rngs
        )
        self.fourth = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.instance = nnx.InstanceNorm(
            FEATURES,
            epsilon=s.instance_eps,
            use_bias=s.affine,
            use_scale=s.affine,
            use_fast_variance=False,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.layer(self.first(x) + self.offset)
        x = self.rms(self.second(x))
        x = self.group(self.third(x))
        return self.instance(self.fourth(x))


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, T, F), and no options."""
    x = np.random.default_rng(5).standard_normal((BATCH, TIME, FEATURES)).astype(np.float32)
    return FlaxNorms(flax, nnx.Rngs(0)), TorchNorms(torch), x, {}
