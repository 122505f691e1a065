"""What one pass of a user's Flax network shows is what it gives when it is called directly in float64."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Inputs
from parity.interface.side import Pass
from parity.interface.trace import Arrays
from tests.backends.flax.networks import APIS, COTANGENT, SIDES, X, drawn, networks
from tests.backends.flax_small import close, linen, made, numbers, rngs
from tests.backends.small import PRECISIONS


@contextmanager
def double() -> Iterator[None]:
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def directly(api: str, native: Arrays, x: Any) -> Any:
    """The network in evaluation mode, called as its user would."""
    model = networks()[api]
    if api == "linen":
        tree: dict[str, Any] = {}
        for name, array in native.items():
            *path, last = name.split("/")
            inner = tree
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = jnp.asarray(array)
        return model[0].apply(tree, x)
    model.eval()
    named = {".".join(map(str, path)): (path, v) for path, v in nnx.to_flat_state(nnx.state(model))}
    flat = [(named[name][0], named[name][1].replace(jnp.asarray(array))) for name, array in native.items()]
    nnx.update(model, nnx.from_flat_state(flat))
    return model(x)


@APIS
def test_outputs_and_gradients_are_those_of_a_direct_call(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    found = side.run(native, Inputs((X,)), Pass(cotangents=COTANGENT))
    with double():
        call = jax.jit(lambda own, x: directly(api, {**native, **own}, x))
        expected, pull = jax.vjp(call, _learnable(side, native), X)
        parameters, given = pull(jnp.asarray(COTANGENT[""]))
        assert close(found.outputs[""], expected)
        assert close(found.input_gradients["[0]"], given)
        assert set(found.parameter_gradients) == side.parameters == set(parameters)
        assert all(close(found.parameter_gradients[name], parameters[name]) for name in parameters)
    idle = next(name for name in side.parameters if name.endswith("idle"))
    assert not found.parameter_gradients[idle].any()
    assert all(array.any() for name, array in found.parameter_gradients.items() if name != idle)


def _learnable(side: FlaxSide, native: Arrays) -> Any:
    return {name: jnp.asarray(native[name]) for name in side.parameters}


@APIS
def test_buffers_move_in_training_only(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    trained = side.run(native, Inputs((X,)), Pass(training=True))
    conv = next(call for call in trained.calls if call.path == "conv").outputs[0]
    mean, var = (next(n for n in side.native if n.endswith(end)) for end in ("mean", "var"))
    assert set(trained.buffers) == {mean, var}
    assert close(trained.buffers[mean], 0.7 * native[mean] + 0.3 * conv.mean((0, 1, 2)))
    assert close(trained.buffers[var], 0.7 * native[var] + 0.3 * conv.var((0, 1, 2)))
    still = side.run(native, Inputs((X,)), Pass()).buffers
    assert all(np.array_equal(still[name], native[name]) for name in (mean, var))


@APIS
def test_every_call_is_seen_with_the_gradient_of_its_output(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    found = side.run(native, Inputs((X,)), Pass(cotangents=COTANGENT))
    assert [call.path for call in found.calls] == ["conv", "norm", "drop", "head", ""]
    assert [call.start for call in found.calls] == [1, 2, 3, 4, 0]
    conv, norm, drop, head, root = found.calls
    assert (conv.type, root.type) == ("Conv", type(networks()["nnx"]).__name__ if api == "nnx" else "LinenNet")
    assert close(conv.inputs[0], X)
    assert close(norm.inputs[0], conv.outputs[0])
    kernel = next(array for name, array in native.items() if "head" in name and name.endswith("kernel"))
    to_head = COTANGENT[""] @ kernel.T
    assert close(head.gradients[0], COTANGENT[""])
    assert close(drop.gradients[0], np.broadcast_to(to_head[:, None, None], drop.outputs[0].shape) / 20)
    assert close(norm.gradients[0], drop.gradients[0] * (1 - np.tanh(norm.outputs[0]) ** 2))
    assert close(root.outputs[0], found.outputs[""])


@APIS
def test_precision_is_what_was_asked_for(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    high, low = (side.run(native, Inputs((X,)), Pass(p, cotangents=COTANGENT)) for p in PRECISIONS)
    for seen, dtype in ((high, np.float64), (low, np.float32)):
        every: list[Any] = [seen.outputs[""], *seen.buffers.values(), *seen.parameter_gradients.values()]
        every += [array for call in seen.calls for array in (*call.inputs, *call.outputs, *call.gradients)]
        assert {array.dtype for array in every if array is not None} == {np.dtype(dtype)}
    gap = np.abs(low.outputs[""] - high.outputs[""]).max()
    assert 0 < gap < 64 * np.finfo(np.float32).eps * np.abs(high.outputs[""]).max()
    assert not low.narrow and not high.narrow


class Jitted(nnx.Module):
    """Has its parts called through transformations, and draws from a stream of its own in a cell."""

    def __init__(self) -> None:
        self.rnn = nnx.RNN(nnx.GRUCell(3, 3, rngs=rngs()), rngs=rngs())
        self.fc = nnx.Linear(3, 2, rngs=rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        y = nnx.jit(lambda rnn, x: rnn(x))(self.rnn, x)
        return nnx.remat(lambda fc, y: fc(y))(self.fc, y[:, -1])


def test_parts_inside_transformations_are_known() -> None:
    x = numbers(2, 3, 3)
    side = FlaxSide(made(Jitted), Inputs((x,)))
    assert [(unit.path, unit.kind, unit.runs) for unit in side.units] == [
        ("rnn.cell", "gru", True),
        ("fc", "dense", True),
    ]
    found = side.run(side.native, Inputs((x,)), Pass(cotangents={"": numbers(2, 2)}))
    assert [call.path for call in found.calls][-2:] == ["fc", ""]
    assert found.parameter_gradients["rnn.cell.dense_h.kernel"].any()


def test_a_program_is_traced_once_for_many_weights() -> None:
    traced = []

    class Counted(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            traced.append(1)
            return nn.Dense(2)(x)

    x = numbers(3, 3)
    side = FlaxSide(linen(Counted(), x), Inputs((x,)))
    first = side.run(side.native, Inputs((x,)), Pass())
    before = len(traced)
    second = side.run({n: 2 * a for n, a in side.native.items()}, Inputs((x,)), Pass())
    assert len(traced) == before
    assert close(second.outputs[""], 2 * first.outputs[""])
