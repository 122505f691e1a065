"""Flax layers that compute in a dtype of their own do so in float64 too, and are told of."""

from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax import nnx

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Inputs
from parity.interface.side import Pass
from tests.backends.flax.networks import COTANGENT
from tests.backends.flax_small import close, linen, made, numbers, rngs


class Half(nn.Module):
    """With dtypes of its own, in fields, in lists, in cells."""

    cell: nn.RNNCellBase
    layers: tuple[Any, ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(2)(nn.Sequential(self.layers)(nn.RNN(self.cell)(x)))


def halves(narrow: bool) -> Any:
    dtype: Any = jnp.bfloat16 if narrow else None
    single: Any = jnp.float32 if narrow else None
    return Half(nn.LSTMCell(3, dtype=single), (nn.Dense(4, dtype=dtype), nn.tanh))


def test_layers_with_a_dtype_of_their_own_compute_in_float64() -> None:
    x = numbers(2, 3, 4)
    module, variables = linen(halves(True), x)
    side, plain = (FlaxSide(model, Inputs((x,))) for model in ((module, variables), (halves(False), variables)))
    mine, other = (one.run(one.native, Inputs((x,)), Pass()) for one in (side, plain))
    assert close(mine.outputs[""], other.outputs[""])
    assert not mine.narrow
    assert {cast.dtype for cast in mine.undone} == {"bfloat16"} and not other.undone
    assert {cast.place.partition(":")[0] for cast in mine.undone} == {Path(__file__).name}
    assert (module.cell.dtype, module.layers[0].dtype) == (jnp.float32, jnp.bfloat16)
    assert [unit.settings.get("dtype") for unit in side.units] == ["float32", "bfloat16", None]


def test_a_narrow_layer_shows_in_float32_and_its_gradient_is_there() -> None:
    class Narrow(nnx.Module):
        def __init__(self) -> None:
            self.a = nnx.Linear(3, 4, dtype=jnp.bfloat16, rngs=rngs())
            self.b = nnx.Linear(4, 2, dtype=jnp.float32, rngs=rngs())

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.b(self.a(x))

    x = numbers(3, 3)
    side = FlaxSide(made(Narrow), Inputs((x,)))
    low = side.run(side.native, Inputs((x,)), Pass("float32", cotangents=COTANGENT))
    assert low.narrow == {"a": "bfloat16"}
    assert [[g.shape for g in call.gradients if g is not None] for call in low.calls] == [[(3, 4)], [(3, 2)], [(3, 2)]]
    assert low.calls[0].outputs[0].dtype == np.float64  # NumPy has no bfloat16
    high = side.run(side.native, Inputs((x,)), Pass(cotangents=COTANGENT))
    assert high.calls[0].gradients[0] is not None
    assert close(high.calls[0].gradients[0], COTANGENT[""] @ side.native["b.kernel"].T)


class Casting(nnx.Module):
    """Has one of its layers compute in a type of its own, or not."""

    def __init__(self, dtype: Any) -> None:
        self.a = Casting.Inner(dtype)
        self.b = nnx.Linear(3, 2, rngs=rngs())

    class Inner(nnx.Module):
        def __init__(self, dtype: Any) -> None:
            self.dtype = dtype
            self.scale = nnx.Param(jnp.ones(3))

        def __call__(self, x: jax.Array) -> jax.Array:
            x = x * self.scale[...]
            return jnp.tanh(x if self.dtype is None else x.astype(self.dtype)).astype(x.dtype)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.b(self.a(x))


@pytest.mark.parametrize(("dtype", "undone"), [(jnp.float32, []), (jnp.bfloat16, ["bfloat16"])])
def test_a_cast_is_undone_and_told_where_it_is_narrower_than_what_the_user_runs(dtype: Any, undone: list[str]) -> None:
    x, target = numbers(3, 3), {"": numbers(3, 2)}
    cast, plain = (FlaxSide(made(partial(Casting, kind)), Inputs((x,))) for kind in (dtype, None))
    mine, other = (side.run(side.native, Inputs((x,)), Pass(cotangents=COTANGENT)) for side in (cast, plain))
    assert [one.dtype for one in mine.undone] == undone and not other.undone
    assert close(mine.outputs[""], other.outputs[""])
    for one, two in zip(mine.calls, other.calls, strict=True):
        assert close(one.outputs[0], two.outputs[0])
        assert close(one.gradients[0], two.gradients[0])
    steps = [side.train(side.native, [Inputs((x,))] * 2, [target] * 2, optax.sgd(0.1)) for side in (cast, plain)]
    assert close(steps[0].losses, steps[1].losses)
