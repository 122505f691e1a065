"""Networks of both of Flax's APIs with the sides that look at them, for the tests of this folder."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Inputs
from parity.interface.packing import native_copy
from parity.interface.trace import Arrays
from tests.backends.flax_small import linen, made, numbers, rngs

X = numbers(3, 4, 5, 2)
COTANGENT = {"": numbers(3, 2, seed=1)}


class Net(nnx.Module):
    def __init__(self) -> None:
        self.conv = nnx.Conv(2, 3, (2, 2), rngs=rngs())
        self.norm = nnx.BatchNorm(3, momentum=0.7, rngs=rngs())
        self.drop = nnx.Dropout(0.5, rngs=rngs())
        self.head = nnx.Linear(3, 2, rngs=rngs())
        self.idle = nnx.Param(jnp.ones(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.drop(jnp.tanh(self.norm(self.conv(x)))).mean((1, 2)))


class LinenNet(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        self.param("idle", nn.initializers.ones, (2,))
        x = nn.Conv(3, (2, 2), name="conv")(x)
        x = nn.BatchNorm(not train, momentum=0.7, name="norm", epsilon=1e-5)(x)
        x = nn.Dropout(0.5, deterministic=not train, name="drop")(jnp.tanh(x))
        return nn.Dense(2, name="head")(x.mean((1, 2)))


def networks() -> dict[str, Any]:
    return {"nnx": made(Net), "linen": linen(LinenNet(), X)}


SIDES = {api: FlaxSide(model, Inputs((X,))) for api, model in networks().items()}
APIS = pytest.mark.parametrize("api", SIDES)


def drawn(side: FlaxSide) -> Arrays:
    native = native_copy(side.native)
    for number, array in enumerate(native.values()):
        array[...] = np.abs(numbers(*array.shape, seed=number))
    return native
