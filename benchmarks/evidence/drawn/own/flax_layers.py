"""Layers as people write them themselves, in Flax NNX; the features are the last axis."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.evidence.drawn.own.sines import angles

FUNCTIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "softmax": nnx.softmax,
    "tanh": jnp.tanh,
    "gelu": partial(nnx.gelu, approximate=False),
    "softplus": nnx.softplus,
    "none": lambda x: x,
}


def _inside(x: jax.Array, narrow: bool, upcast: bool) -> tuple[jax.Array, Any]:
    """What is computed with, and the dtype that is given on."""
    x = x.astype(jnp.bfloat16) if narrow else x
    return (x.astype(jnp.float32) if upcast else x), x.dtype


class OwnNorm(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.s = s
        self.weight = nnx.Param(jnp.ones(s["features"]))
        self.bias = nnx.Param(jnp.zeros(s["features"])) if s["form"] == "layer" else None

    def __call__(self, x: jax.Array) -> jax.Array:
        s = self.s
        h, dtype = _inside(x, s["narrow"], s["upcast"])
        if self.bias is not None:
            h = h - h.mean(-1, keepdims=True)
        square = (h * h).mean(-1, keepdims=True) * s.get("times", 1.0)
        h = h / (jnp.sqrt(square) + s["eps"]) if s.get("outside", False) else h * jax.lax.rsqrt(square + s["eps"])
        h = h.astype(dtype) * (self.weight[...] + s["more"])
        return (h if self.bias is None else h + self.bias[...]).astype(x.dtype)


class Upcast(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.s = s

    def __call__(self, x: jax.Array) -> jax.Array:
        h, dtype = _inside(x, self.s["narrow"], self.s["upcast"])
        return FUNCTIONS[self.s["function"]](h).astype(dtype).astype(x.dtype)


class FusedAttention(nnx.Module):
    qkv: nnx.Linear
    query: nnx.Linear
    key: nnx.Linear
    value: nnx.Linear

    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.s, features = s, s["features"]
        names = ("qkv",) if s["flax"] == "fused" else ("query", "key", "value")
        for name in names:
            size = 3 * features // len(names)
            setattr(self, name, nnx.Linear(features, size, use_bias=s["bias"], rngs=rngs))
        self.out = nnx.Linear(features, features, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        q, k, v = self.parts(x)
        scores = jnp.einsum("bthd,bshd->bhts", q, k) * (q.shape[-1] ** -0.5 if self.s.get("scaled", True) else 1.0)
        return self.out(jnp.einsum("bhts,bshd->bthd", nnx.softmax(scores), v).reshape(x.shape))

    def parts(self, x: jax.Array) -> list[jax.Array]:
        """Queries, keys and values, (B, T, heads, D) each."""
        batch, time, _ = x.shape
        heads, order = self.s["heads"], self.s["order"]
        if self.s["flax"] != "fused":
            return [layer(x).reshape(batch, time, heads, -1) for layer in (self.query, self.key, self.value)]
        if self.s["by head"]:
            parts = jnp.split(self.qkv(x).reshape(batch, time, heads, -1), 3, -1)
        else:
            parts = [part.reshape(batch, time, heads, -1) for part in jnp.split(self.qkv(x), 3, -1)]
        return [parts[order.index(name)] for name in "qkv"]


class Table(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.s = s
        if s["flax"] == "held":
            exact = angles(s)
            self.sines = nnx.Variable(jnp.asarray(np.sin(exact), jnp.float32))
            self.cosines = nnx.Variable(jnp.asarray(np.cos(exact), jnp.float32))

    def waves(self) -> tuple[jax.Array, jax.Array]:
        """Sines and cosines, (T, F/2) each."""
        s = self.s
        if s["flax"] == "held":
            return self.sines[...], self.cosines[...]
        if s["flax"] == "numpy":
            return jnp.asarray(np.sin(angles(s))), jnp.asarray(np.cos(angles(s)))
        half = s["features"] // 2
        frequencies = s["base"] ** (-jnp.arange(half, dtype=jnp.float32) / half)
        turned = (s.get("start", 0) + jnp.arange(s["time"], dtype=jnp.float32))[:, None] * frequencies
        return jnp.sin(turned), jnp.cos(turned)

    def __call__(self, x: jax.Array) -> jax.Array:
        sines, cosines = self.waves()
        axis = -1 if self.s["form"] == "neighbours" else -2
        if self.s["use"] == "add":
            return x + jnp.stack([sines, cosines], axis).reshape(x.shape[1:])
        halves = x.reshape(*x.shape[:-1], *((-1, 2) if axis == -1 else (2, x.shape[-1] // 2)))
        a, b = jnp.moveaxis(halves, axis, 0)
        return jnp.stack([a * cosines - b * sines, b * cosines + a * sines], axis).reshape(x.shape)


class WeightNorm(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.axis = s["axis"]
        self.direction = nnx.Param(jax.random.normal(rngs(), (s["in"], s["out"])))
        self.length = nnx.Param(jnp.ones((1, s["out"]) if self.axis == 0 else (s["in"], 1)))
        self.bias = nnx.Param(jnp.zeros(s["out"]))

    def __call__(self, x: jax.Array) -> jax.Array:
        v = self.direction[...]
        norm = jnp.sqrt((v * v).sum(self.axis, keepdims=True))
        return x @ (self.length[...] * v / norm) + self.bias[...]


class ParametrizedDense(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.function = s["function"]
        self.raw = nnx.Param(jax.random.normal(rngs(), (s["in"], s["out"])))
        self.bias = nnx.Param(jnp.zeros(s["out"]))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x @ FUNCTIONS[self.function](self.raw[...]) + self.bias[...]


LAYERS: Mapping[str, Callable[..., nnx.Module]] = {
    "own norm": OwnNorm,
    "upcast": Upcast,
    "fused attention": FusedAttention,
    "table": Table,
    "weight norm": WeightNorm,
    "parametrized dense": ParametrizedDense,
}
