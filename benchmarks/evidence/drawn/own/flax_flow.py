"""Blocks that differ from others in what becomes of arrays, not in a formula: returned, dropped, frozen, masked."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

KEEP, EPS = 0.9, 1e-5


class DroppedCall(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        features = s["features"]
        self.twice, self.used = s["flax"], s.get("used", True)
        self.layer: Callable[[jax.Array], jax.Array]
        if s["layer"] == "dense":
            self.layer = nnx.Linear(features, features, rngs=rngs)
        elif s["layer"] == "layer norm":
            self.layer = nnx.LayerNorm(features, epsilon=EPS, use_fast_variance=False, rngs=rngs)
        else:
            self.layer = nnx.BatchNorm(features, momentum=KEEP, epsilon=EPS, use_fast_variance=False, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        if self.twice:
            self.layer(x + 1.0)
        y = jnp.tanh(self.layer(x))
        return x + y if self.used else x


class Tap(nnx.Module):
    """Gives what goes on, and what is returned beside the network's result."""

    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.returned = s["returned"]

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = 2.0 * x
        z = y + 1.0
        shown = {"as it is": y, "later": z, "stopped": jax.lax.stop_gradient(y)}[self.returned]
        return jnp.tanh(z), shown


class FrozenDense(nnx.Module):
    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.stopped = s["frozen"] and s["flax"] == "stopped"
        kind = nnx.Variable if s["frozen"] and s["flax"] == "variable" else nnx.Param
        self.kernel = kind(jax.random.normal(rngs(), (s["in"], s["out"])))
        self.bias = kind(jnp.zeros(s["out"]))

    def __call__(self, x: jax.Array) -> jax.Array:
        kernel, bias = self.kernel[...], self.bias[...]
        if self.stopped:
            kernel, bias = jax.lax.stop_gradient((kernel, bias))
        return x @ kernel + bias


class Ids(nnx.Module):
    """Gives its input as it is, and the number of a feature of each place."""

    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.find = {"argmax": jnp.argmax, "argmin": jnp.argmin}[s["function"]]
        self.first = s["first"]

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x, self.find(x, -1) + self.first


class Masked(nnx.Module):
    """Zeros where steps (B, T) are not there, and with a divisor the mean over those that are."""

    def __init__(self, s: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self.s = s

    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        there = (mask != 0) if self.s["kept"] else (mask == 0)
        if self.s["flax"] == "filled":
            x = jnp.where(there[..., None], x, 0.0)
        else:
            x = x * (mask.astype(x.dtype) if self.s["kept"] else 1 - mask.astype(x.dtype))[..., None]
        divisor = self.s.get("divisor")
        if divisor is None:
            return x
        return x.sum(1) / (there.sum(1, keepdims=True) if divisor == "kept" else x.shape[1])


FLOWS: Mapping[str, Callable[..., nnx.Module]] = {
    "dropped call": DroppedCall,
    "tap": Tap,
    "frozen dense": FrozenDense,
    "ids": Ids,
    "masked fill": Masked,
    "masked mean": Masked,
}
