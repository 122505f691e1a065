"""Layers that compute in float32 inside, whatever they are given, as people write norms, softmaxes and rotations."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(6).standard_normal((3, 4, 8)).astype(np.float32)
ANGLES = np.arange(1, 5) * 0.37
FlaxInside = Callable[[jax.Array, jax.Array], jax.Array]
TorchInside = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Port(nnx.Module):
    """Dense layers, and between them something with a weight, in half precision if asked."""

    def __init__(self, inside: FlaxInside, half: bool) -> None:
        draws = nnx.Rngs(0)
        self.first, self.last = nnx.Linear(8, 8, rngs=draws), nnx.Linear(8, 3, rngs=draws)
        self.weight, self.inside, self.narrow = nnx.Param(jnp.ones(8)), inside, half

    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.first(x)
        h = h.astype(jnp.bfloat16) if self.narrow else h
        return self.last(self.inside(h, self.weight[...]).astype(jnp.float32))


class Original(nn.Module):
    """Its twin."""

    def __init__(self, inside: TorchInside, half: bool) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 8), nn.Linear(8, 3)
        self.weight, self.inside, self.narrow = nn.Parameter(torch.ones(8)), inside, half

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x)
        h = h.to(torch.bfloat16) if self.narrow else h
        return self.last(self.inside(h, self.weight).float())


def compared(flax: FlaxInside, pytorch: TorchInside, half: bool) -> Report:
    return parity.compare(Port(flax, half), Original(pytorch, half), X, checks=parity.Checks(probes=False))


def flax_rms(h: jax.Array, weight: jax.Array, eps: float = 1e-5) -> jax.Array:
    x = h.astype(jnp.float32)
    x = x * jax.lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + eps)
    return weight * x.astype(h.dtype)


def torch_rms(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    x = h.to(torch.float32)
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)).to(h.dtype)


def flax_layer(h: jax.Array, weight: jax.Array) -> jax.Array:
    x = h.astype(jnp.float32)
    x = x - x.mean(-1, keepdims=True)
    return (x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * weight).astype(h.dtype)


def torch_layer(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return nn.functional.layer_norm(h.float(), (8,), weight, None, 1e-6).to(h.dtype)


def flax_softmax(h: jax.Array, weight: jax.Array) -> jax.Array:
    return jax.nn.softmax(h.astype(jnp.float32) * 0.3, -1).astype(h.dtype) * weight


def torch_softmax(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.softmax(h * 0.3, -1, dtype=torch.float32).to(h.dtype) * weight


def flax_rotation(h: jax.Array, weight: jax.Array) -> jax.Array:
    a, b = jnp.split(h.astype(jnp.float32) * weight, 2, -1)
    cos, sin = jnp.asarray(np.cos(ANGLES), jnp.float32), jnp.asarray(np.sin(ANGLES), jnp.float32)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1).astype(h.dtype)


def torch_rotation(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    pairs = torch.complex(*(h.float() * weight).chunk(2, -1))
    turned = torch.view_as_real(pairs * torch.polar(torch.ones(4), torch.tensor(ANGLES, dtype=torch.float32)))
    return torch.cat(turned.unbind(-1), -1).to(h.dtype)


INSIDE: dict[str, tuple[FlaxInside, TorchInside]] = {
    "a root-mean-square norm": (flax_rms, torch_rms),
    "a layer norm": (flax_layer, torch_layer),
    "a softmax": (flax_softmax, torch_softmax),
    "a rotation": (flax_rotation, torch_rotation),
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", INSIDE)
def test_what_computes_in_float32_on_both_sides_is_the_same(name: str, half: bool) -> None:
    report = compared(*INSIDE[name], half)
    assert report.verdict is Verdict.SAME, report.first_difference


WRONG: dict[str, tuple[FlaxInside, TorchInside]] = {
    "another epsilon": (lambda h, w: flax_rms(h, w, 1.01e-5), torch_rms),
    "the variance less one": (flax_layer, lambda h, w: torch_layer(h, w) * (7 / 8) ** 0.5),
    "another temperature": (flax_softmax, lambda h, w: torch_softmax(h * 1.001, w)),
    "turned the other way": (flax_rotation, lambda h, w: torch_rotation(h.roll(4, -1), w.roll(4)).roll(4, -1)),
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_another_formula_inside_is_different(name: str, half: bool) -> None:
    assert compared(*WRONG[name], half).verdict is Verdict.DIFFERENT


NARROW: dict[str, tuple[FlaxInside, TorchInside]] = {
    "a norm in Flax": (lambda h, w: flax_rms(h.astype(jnp.bfloat16), w), torch_rms),
    "a softmax in PyTorch": (flax_softmax, lambda h, w: torch_softmax(h.bfloat16(), w)),
    "a rotation in Flax": (lambda h, w: flax_rotation(h.astype(jnp.bfloat16), w), torch_rotation),
}


@pytest.mark.parametrize("name", NARROW)
def test_half_precision_on_one_side_is_a_difference_that_is_named(name: str) -> None:
    report = compared(*NARROW[name], half=False)
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert "same formula, computed in bfloat16" in report.first_difference.text
