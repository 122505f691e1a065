"""A backward pass as a program gives the gradients of the framework, and says what the user's code stops or turns."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.backends.flax.side import FlaxSide
from parity.backends.torch.side import TorchSide
from parity.interface.observation import Inputs
from parity.interface.programs.backward import OTHERWISE, Backward
from parity.interface.programs.operations import Setting
from parity.interface.side import Pass, Side

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


@jax.custom_vjp
def turned(x: jax.Array) -> jax.Array:
    return x


turned.defvjp(lambda x: (x, None), lambda _, g: (-0.5 * g,))


class Turned(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        return -0.5 * g


class FlaxNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.w = nnx.Param(jax.random.normal(rngs.params(), (4, 5)))
        self.v = nnx.Param(jax.random.normal(rngs.params(), (4, 5)))

    def __call__(self, x: jax.Array) -> jax.Array:
        h = jnp.tanh(x @ self.w[...])
        target = jax.lax.stop_gradient(x @ self.v[...])
        return turned(h * h) + 2 * h + h * target


class TorchNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w, self.v = nn.Parameter(torch.randn(4, 5)), nn.Parameter(torch.randn(4, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(x @ self.w)
        with torch.no_grad():
            target = x @ self.v
        out: torch.Tensor = Turned.apply(h * h) + 2 * h + h * target
        return out


def sides() -> list[Side]:
    return [FlaxSide(FlaxNet(nnx.Rngs(0)), Inputs((X,))), TorchSide(TorchNet(), Inputs((X,)))]


@pytest.mark.parametrize(("place", "stopped"), [(0, "stopped"), (1, "not recorded")])
def test_gradients_are_the_framework_s_and_can_be_let_through(place: int, stopped: str) -> None:
    side = sides()[place]
    forward = side.program(side.native, Inputs((X,)), Pass(derivatives=True))
    (result,) = forward.named.results.values()
    cotangent = np.random.default_rng(1).standard_normal((3, 5))
    backward = Backward(forward, {result: cotangent})
    seen = side.run(side.native, Inputs((X,)), Pass(cotangents={"": cotangent}))
    numbers = {name: backward.gradient(value) for value, (kind, name) in forward.origins.items() if kind == "array"}
    for name, number in numbers.items():
        assert np.allclose(backward.compute([number])[0], seen.parameter_gradients[name], rtol=1e-12, atol=1e-14)
    kinds = {pull.kind: number for number, pull in backward.kinds.items()}
    assert set(kinds) == {"custom", stopped}
    assert not backward.compute([numbers["v"]])[0].any()
    let = backward.compute([numbers["v"]], [Setting(kinds[stopped], OTHERWISE, True)])[0]
    native = {name: np.asarray(array, np.float64) for name, array in side.native.items()}
    assert np.allclose(let, X.astype(np.float64).T @ (cotangent * np.tanh(X @ native["w"])), rtol=1e-6)
    own = backward.compute([numbers["w"]], [Setting(kinds["custom"], OTHERWISE, True)])[0]
    assert not np.allclose(own, seen.parameter_gradients["w"])
