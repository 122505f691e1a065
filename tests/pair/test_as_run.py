"""Networks run as their users run them: plain arrays, layers that wait for their first input, indices, timesteps."""

from collections.abc import Callable
from math import log
from typing import Any

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

X = np.random.default_rng(8).standard_normal((3, 5, 4)).astype(np.float32)


class Port(nnx.Module):
    """A dense layer, and a function of its output and of a plain array that the network holds."""

    def __init__(self, flow: Callable[[jax.Array, jax.Array], jax.Array], held: Any = 0.0) -> None:
        self.fc, self.flow, self.held = nnx.Linear(4, 3, rngs=nnx.Rngs(0)), flow, jnp.asarray(held)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.flow(self.fc(x), self.held)


class Original(nn.Module):
    """Its twin, which holds a buffer; its dense layer may wait for its first input."""

    held: torch.Tensor

    def __init__(self, flow: Callable[[Any, Any], Any], held: Any = 0.0, lazy: bool = False) -> None:
        super().__init__()
        self.fc, self.flow = nn.LazyLinear(3) if lazy else nn.Linear(4, 3), flow
        self.register_buffer("held", torch.tensor(held))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.flow(self.fc(x), self.held)


def compared(port: nnx.Module, original: nn.Module, x: Any = X) -> Report:
    return parity.compare(port, original, x, checks=parity.Checks(probes=False))


SHIFT = [0.1, 0.2, 0.3]
HELD: dict[str, tuple[Any, Any, Verdict]] = {
    "a shift": (SHIFT, lambda y, h: 2 * y + h, Verdict.SAME),
    "a scale": (1.7, lambda y, h: h * y, Verdict.SAME),
    "one of several": ([[1.0, 2.0, 3.0], SHIFT], lambda y, h: y / h[1], Verdict.SAME),
    "the other sign": (SHIFT, lambda y, h: 2 * y - h, Verdict.DIFFERENT),
    "in another place": (1.7, lambda y, h: h + y, Verdict.DIFFERENT),
    "another of several": ([[1.0, 2.0, 3.0], SHIFT], lambda y, h: y / h[0], Verdict.DIFFERENT),
}
"""Kind → what is held, PyTorch's flow, and the verdict; Flax's is that of the first three."""


@pytest.mark.parametrize("number", range(len(HELD)))
def test_a_plain_array_may_be_held(number: int) -> None:
    held, flow, expected = list(HELD.values())[number]
    ours = list(HELD.values())[number % 3][1]
    report = compared(Port(ours, held), Original(flow, held))
    assert report.verdict is expected, report.first_difference


@pytest.mark.parametrize(("theirs", "verdict"), [(SHIFT, Verdict.SAME), ([0.1, 0.2, 0.31], Verdict.DIFFERENT)])
def test_other_numbers_in_what_is_never_learnt_are_told(theirs: list[float], verdict: Verdict) -> None:
    report = compared(Port(lambda y, h: y + h, SHIFT), Original(lambda y, h: y + h, theirs))
    told = [f for f in report.rungs[0].findings if "0.3 in Flax and 0.31 in PyTorch" in f.reason]
    assert report.verdict is verdict and len(told) == (verdict is Verdict.DIFFERENT)


class Normed(nnx.Module):
    def __init__(self) -> None:
        self.norm, self.fc = nnx.BatchNorm(4, epsilon=1e-5, rngs=nnx.Rngs(0)), nnx.Linear(4, 3, rngs=nnx.Rngs(0))
        self.norm.mean.set_value(jnp.ones(4))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.fc(self.norm(x.reshape(-1, 4)))


def test_statistics_that_training_changes_are_no_constants() -> None:
    report = compared(Normed(), nn.Sequential(nn.Flatten(0, 1), nn.BatchNorm1d(4), nn.Linear(4, 3)))
    assert not [note for note in report.notes if "neither learnt" in note]


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_a_layer_may_wait_for_its_first_input(factor: float) -> None:
    original = Original(lambda y, h: y, lazy=True)
    report = compared(Port(lambda y, h: y * factor), original)
    assert report.verdict is (Verdict.SAME if factor == 1.0 else Verdict.DIFFERENT)
    assert isinstance(original.fc.weight, nn.UninitializedParameter)  # the user's own is as it was


def at_an_index(y: jax.Array, held: jax.Array) -> jax.Array:
    place = jnp.zeros((), jnp.int32)
    return jax.lax.dynamic_update_slice(jnp.zeros((3, 8, 3), y.dtype), y, (0, place, 0))[:, :5]


def in_float32(y: jax.Array, held: jax.Array) -> jax.Array:
    cache = jnp.zeros((3, 8, 3), jnp.float32)
    return jax.lax.dynamic_update_slice_in_dim(cache, y, jnp.int32(2), 1)[:, 2:7]


def by_a_loop(y: jax.Array, held: jax.Array) -> jax.Array:
    def step(t: Any, cache: jax.Array) -> jax.Array:
        return cache.at[:, t].set(y[:, t])

    return jax.lax.fori_loop(0, 5, step, jnp.zeros((3, 5, 3), jnp.float32))


def counted(y: jax.Array, held: jax.Array) -> jax.Array:
    def step(carry: tuple[jax.Array, jax.Array], row: jax.Array) -> Any:
        count, total = carry
        return (count + 1, total + row), (total + row) / (count + 1)

    start = jnp.zeros((), jnp.int32), jnp.zeros((3, 3), jnp.float32)
    return jax.lax.scan(step, start, y.swapaxes(0, 1))[1].swapaxes(0, 1)


CACHES: dict[str, tuple[Any, Any]] = {
    "an index of int32": (at_an_index, lambda y, h: y),
    "a cache in float32": (in_float32, lambda y, h: y),
    "a loop": (by_a_loop, lambda y, h: y),
    "a scan that counts": (counted, lambda y, h: y.cumsum(1) / torch.arange(1, 6)[:, None]),
}


@pytest.mark.parametrize("kind", CACHES)
@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_indices_and_caches_are_run_as_they_are(kind: str, factor: float) -> None:
    flax, pytorch = CACHES[kind]
    report = compared(Port(lambda y, h: flax(y, h) * factor), Original(pytorch))
    assert report.verdict is (Verdict.SAME if factor == 1.0 else Verdict.DIFFERENT), report.first_difference


HALF = 8


class TimePort(nnx.Module):
    """A timestep's sines and cosines at frequencies that are computed in float32, and a dense layer."""

    def __init__(self, base: float) -> None:
        self.fc, self.base = nnx.Linear(2 * HALF, 3, rngs=nnx.Rngs(0)), base

    def __call__(self, t: jax.Array) -> jax.Array:
        frequencies = jnp.exp(jnp.arange(HALF, dtype=jnp.float32) * -(log(self.base) / (HALF - 1)))
        turned = t[:, None] * frequencies
        return self.fc(jnp.concatenate([jnp.sin(turned), jnp.cos(turned)], 1))


class TimeOriginal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2 * HALF, 3)

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        frequencies = torch.exp(torch.arange(HALF, dtype=torch.float32) * -(log(10000.0) / (HALF - 1)))
        turned = t.float()[:, None] * frequencies
        return self.fc(torch.cat([turned.sin(), turned.cos()], 1))


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32])
@pytest.mark.parametrize("base", [10000.0, 9990.0])
def test_timesteps_may_be_far_along(dtype: type, base: float) -> None:
    report = compared(TimePort(base), TimeOriginal(), np.array([3, 500, 999], dtype))
    assert report.verdict is (Verdict.SAME if base == 10000.0 else Verdict.DIFFERENT), report.first_difference
