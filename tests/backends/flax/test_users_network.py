"""A user's Flax network: what it holds, that it stays as it was, how it is given back, and what is none."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from parity.backends.flax.side import FlaxSide
from parity.backends.flax.tracing.tape import MARK
from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.side import Pass
from tests.backends.flax.networks import COTANGENT, SIDES, LinenNet, Net, X, drawn, networks
from tests.backends.flax_small import linen, made, numbers, rngs


def test_adopting_gives_the_users_kind_and_dtypes() -> None:
    for model, kernel in ((made(Net), "conv.kernel"), (linen(LinenNet(), X), "params/conv/kernel")):
        side = FlaxSide(model, Inputs((X,)))
        native = {name: array + 1 for name, array in drawn(side).items()}
        adopted = side.adopt(native)
        assert type(adopted) is type(model)
        again = FlaxSide(adopted, Inputs((X,)))
        assert again.native.keys() == native.keys()
        assert all(np.array_equal(again.native[n], native[n].astype(np.float32)) for n in native)
        leaf = adopted.conv.kernel[...] if isinstance(adopted, Net) else adopted[1]["params"]["conv"]["kernel"]
        assert leaf.dtype == jnp.float32
        assert not np.array_equal(side.native[kernel], again.native[kernel])


def _state(model: Any) -> Any:
    """The values themselves: arrays of JAX are immutable, so that the same ones are unchanged."""
    if isinstance(model, nnx.Module):
        return {path: variable.get_value() for path, variable in nnx.to_flat_state(nnx.state(model))}
    return jax.tree.map(np.copy, model[1])


class Broken(nnx.Module):
    def __init__(self) -> None:
        self.fc = nnx.Linear(2, 2, rngs=rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        self.fc(x)
        raise RuntimeError("broken")


def _settings() -> list[Any]:
    return [jax.config.values[name] for name in ("jax_enable_x64", "jax_disable_jit", "jax_default_matmul_precision")]


def test_the_user_finds_everything_as_it_was() -> None:
    calls = {cls: vars(cls).get("__call__") for cls in (nnx.Linear, nnx.Conv, nnx.Dropout, Net, Broken)}
    patched = (jax.checkpoint, jax.remat)
    before = _settings()
    for model in networks().values():
        state = _state(model)
        side = FlaxSide(model, Inputs((X,)))
        _ = side.units
        side.run(drawn(side), Inputs((X,)), Pass(training=True, cotangents=COTANGENT))
        if isinstance(model, nnx.Module):
            assert all(value is state[path] for path, value in _state(model).items())
            assert not hasattr(model, MARK)
        else:
            jax.tree.map(np.testing.assert_array_equal, state, _state(model))
    broken = FlaxSide(made(Broken), Inputs((numbers(2, 2),)))
    with pytest.raises(RuntimeError, match="broken"):
        broken.run(broken.native, Inputs((numbers(2, 2),)), Pass())
    assert {cls: vars(cls).get("__call__") for cls in calls} == calls
    assert patched == (jax.checkpoint, jax.remat)
    assert before == _settings()


def test_native_arrays_are_read_only_doubles_without_random_states() -> None:
    names = {api: set(side.native) for api, side in SIDES.items()}
    assert {name.rpartition(".")[0] for name in names["nnx"]} == {"conv", "norm", "head", ""}
    assert {name.partition("/")[0] for name in names["linen"]} == {"params", "batch_stats"}
    for side in SIDES.values():
        assert {array.dtype for array in side.native.values()} == {np.dtype(np.float64)}
        with pytest.raises(ValueError, match="read-only"):
            next(iter(side.native.values()))[...] = 0


@pytest.mark.parametrize("model", [LinenNet(), 3])
def test_what_is_no_network_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match=r"expected .*: (give|see)"):
        FlaxSide(model, Inputs((X,)))


def test_a_network_whose_parameters_are_not_given_is_refused() -> None:
    side = FlaxSide((LinenNet(), {}), Inputs((X,)))
    with pytest.raises(
        UsageError, match=r"hold nothing, and LinenNet has parameters; expected params: give module\.init"
    ):
        _ = side.units
