"""What passes between layers is held once, whatever the network does to it; strided convolutions are JAX's own."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.backends.flax.side import FlaxSide
from parity.backends.flax.tracing.convolutions import convolved
from parity.backends.torch.side import TorchSide
from parity.interface.observation import Inputs
from parity.interface.side import Pass

X = np.random.default_rng(0).standard_normal((4, 3))
PULLS = Pass("float64", cotangents={"": np.ones((4, 3))})


def test_in_pytorch_the_next_layer_is_given_what_the_last_one_gave_before_it_changed_that_in_place() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 3))
    side = TorchSide(model, Inputs((X,)))
    first, relu, last, whole = side.run(side.native, Inputs((X,)), PULLS).calls
    assert np.shares_memory(relu.inputs[0], first.outputs[0]) and np.shares_memory(last.inputs[0], relu.outputs[0])
    assert np.shares_memory(whole.outputs[0], last.outputs[0])
    np.testing.assert_allclose(first.outputs[0], X @ side.native["0.weight"].T + side.native["0.bias"], rtol=1e-12)
    assert (first.outputs[0] < 0).any() and np.array_equal(relu.outputs[0], np.maximum(first.outputs[0], 0))
    assert first.gradients[0] is not None and relu.gradients[0] is not None
    np.testing.assert_allclose(first.gradients[0], relu.gradients[0] * (first.outputs[0] > 0))


class Positions(nn.Module):
    """A module that gives its own parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.ones(4, 3))

    def forward(self) -> torch.Tensor:
        return self.table


class Positioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.positions, self.last = Positions(), nn.Tanh()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.last(self.positions())


def test_in_pytorch_what_a_pass_showed_is_not_what_the_next_pass_holds() -> None:
    side = TorchSide(Positioned(), Inputs((X,)))
    seen = side.run(side.native, Inputs((X,)), PULLS)
    side.run({"positions.table": np.zeros((4, 3))}, Inputs((X,)), PULLS)
    assert (seen.calls[0].outputs[0] == 1).all() and (seen.calls[1].inputs[0] == 1).all()


class Flax(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first, self.last = nnx.Linear(3, 3, rngs=rngs), nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(self.first(x))


def test_in_flax_the_next_layer_is_given_what_the_last_one_gave() -> None:
    side = FlaxSide(Flax(nnx.Rngs(0)), Inputs((X,)))
    first, last, whole = side.run(side.native, Inputs((X,)), PULLS).calls
    assert last.inputs[0] is first.outputs[0] and whole.outputs[0] is last.outputs[0]
    assert np.allclose(first.outputs[0], X @ side.native["first.kernel"] + side.native["first.bias"], rtol=1e-12)
    assert first.gradients[0] is not None
    np.testing.assert_allclose(first.gradients[0], np.ones((4, 3)) @ side.native["last.kernel"].T, rtol=1e-12)


LAYOUT = ("NHWC", "HWIO", "NHWC")
CASES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "strides": ((2, 9, 8, 3), (2, 3, 3, 4), {"window_strides": (3, 2), "padding": ((1, 0), (0, 2))}),
    "less than the image": ((2, 9, 8, 3), (3, 3, 3, 4), {"window_strides": (2, 2), "padding": ((-1, 0), (0, -1))}),
    "groups": ((2, 9, 8, 4), (3, 3, 1, 8), {"window_strides": (2, 2), "padding": "SAME", "feature_group_count": 4}),
    "dilated": ((2, 9, 8, 4), (3, 3, 4, 8), {"window_strides": (2, 1), "padding": "VALID", "rhs_dilation": (2, 2)}),
    "transposed": (
        (2, 5, 4, 4),
        (3, 3, 4, 8),
        {"window_strides": (2, 1), "padding": ((2, 2), (1, 2)), "lhs_dilation": (3, 2)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_convolution_and_its_gradients_are_those_of_jax(case: str) -> None:
    draws = np.random.default_rng(1)
    image, kernel, how = CASES[case]
    with jax.enable_x64(True):
        given = [jnp.array(draws.standard_normal(shape)) for shape in (image, kernel)]

        def plain(x: jax.Array, k: jax.Array) -> jax.Array:
            return jax.lax.conv_general_dilated(x, k, dimension_numbers=LAYOUT, **how)

        params = jax.make_jaxpr(plain)(*given).eqns[-1].params
        ours, ours_back = jax.vjp(lambda x, k: convolved(x, k, params), *given)
        theirs, theirs_back = jax.vjp(plain, *given)
        cotangent = jnp.array(draws.standard_normal(theirs.shape))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        for a, b in zip(ours_back(cotangent), theirs_back(cotangent), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
