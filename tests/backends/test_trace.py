"""Capturing shows what the network does and leaves it as it was."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxnets
from parity.backends import Twin, twin_class
from parity.backends.flax.training.tape import TwinTape, module_paths, taps
from tests.backends.small import (
    PRECISIONS,
    SMALL,
    batches,
    both,
    close,
    cotangent,
    fresh,
    ruled_same,
    shared,
    trace,
    weights,
)

MODES = [(name, training) for name in SMALL for training in (True, False)]


@pytest.mark.parametrize(("name", "training"), MODES)
def test_capturing_does_not_change_jax(name, training) -> None:
    inputs = batches(name)[0].inputs
    plain = both(lambda precision: shared("flax", name, precision).forward(inputs, training=training))
    captured = both(lambda precision: trace("flax", name, precision, training).outputs[""])
    with jax.disable_jit():
        eager = shared("flax", name).forward(inputs, training=training)
    assert ruled_same({"plain": plain, "captured": captured})
    assert close(eager, plain.high)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "training"), MODES)
def test_capturing_does_not_change_torch(name, training, precision) -> None:
    plain = shared("torch", name, precision).forward(batches(name)[0].inputs, training=training)
    assert np.array_equal(trace("torch", name, precision, training).outputs[""], plain)


@pytest.mark.parametrize(("name", "training"), MODES)
def test_capturing_does_not_change_numpy(name, training) -> None:
    plain = shared("numpy", name).forward(batches(name)[0].inputs, training=training)
    assert np.array_equal(trace("numpy", name, "float64", training).outputs[""], plain)


def test_modes_differ_where_there_are_statistics() -> None:
    for framework in ("flax", "torch", "numpy"):
        training, evaluation = (trace(framework, "VGG", "float64", mode).outputs[""] for mode in (True, False))
        assert not np.allclose(training, evaluation)


@pytest.mark.parametrize(("name", "training"), MODES)
def test_all_show_the_same_calls(name, training) -> None:
    seen = {}
    for framework in ("flax", "torch", "numpy"):
        found = trace(framework, name, "float64", training)
        gradients = found.gradients.outputs
        seen[framework] = [
            (call, found.inputs[call].shape, y.shape, gradients[call].shape) for call, y in found.outputs.items()
        ]
    assert seen["flax"] == seen["torch"] == seen["numpy"]


CALLS = {
    "MLP": ["flatten", "layers.0", "layers.1", "layers.2", ""],
    "VGG": [
        "features.0.conv",
        "features.0.norm",
        "features.0",
        "features.1",
        "features.2.conv",
        "features.2.norm",
        "features.2",
        "flatten",
        "classifier",
        "",
    ],
    "RNN": [*(f"{path}[{step}]" for step in range(3) for path in ("hx", "hh", "tanh")), "ph", ""],
    "GRU": [*(f"{path}[{step}]" for step in range(3) for path in ("cell.hx", "cell.hh", "cell")), "ph", ""],
}


@pytest.mark.parametrize("framework", ["flax", "torch", "numpy"])
@pytest.mark.parametrize("name", SMALL)
def test_calls_stand_in_the_order_in_which_they_end(framework, name) -> None:
    assert list(trace(framework, name, "float64", False).outputs) == CALLS[name]


@pytest.mark.parametrize("framework", ["flax", "torch", "numpy"])
def test_a_single_step_has_no_number(framework) -> None:
    twin, batch = shared(framework, "RNN"), batches("RNN")[0]
    short = type(batch)(batch.inputs[:, :1], batch.labels)
    assert list(twin.trace(short, cotangent("RNN"), training=True).outputs) == ["hx", "hh", "tanh", "ph", ""]


@pytest.mark.parametrize("framework", ["flax", "torch"])
def test_an_output_is_that_of_its_call_and_an_input_what_it_was_fed(framework) -> None:
    found = trace(framework, "VGG", "float64", True)
    assert np.array_equal(found.inputs[""], batches("VGG")[0].inputs)
    assert np.array_equal(found.inputs["features.1"], found.outputs["features.0"])
    assert np.array_equal(found.outputs["features.0"], np.maximum(found.outputs["features.0.norm"], 0))
    assert np.array_equal(found.outputs[""], found.outputs["classifier"])
    steps = trace(framework, "RNN", "float64", True)
    for step in range(3):
        assert np.array_equal(steps.inputs[f"hx[{step}]"], batches("RNN")[0].inputs[:, step])


@pytest.mark.parametrize("framework", ["flax", "torch", "numpy"])
def test_training_gradients_and_buffers_are_those_of_the_mode(framework) -> None:
    training, evaluation = (trace(framework, "VGG", "float64", mode) for mode in (True, False))
    assert training.training_gradients.keys() == training.gradients.parameters.keys()
    assert evaluation.training_gradients == {}
    before = weights("VGG")
    assert all(np.array_equal(array, before[name]) for name, array in evaluation.buffers.items())
    assert not any(np.array_equal(array, before[name]) for name, array in training.buffers.items())
    assert len(training.buffers) == 4


def called(model: nnx.Module) -> dict[type, Any]:
    """Each class of the model and its own __call__, None where it inherits it."""
    return {type(module): vars(type(module)).get("__call__") for _, module in module_paths(model).values()}


def jax_model(name: str) -> Any:
    return twin_class("flax").build(SMALL[name].network, SMALL[name].config)


def test_classes_are_restored_after_a_trace() -> None:
    before = called(jax_model("VGG"))
    shared("flax", "VGG").trace(batches("VGG")[0], cotangent("VGG"), training=True)
    assert called(jax_model("VGG")) == before and None not in before.values()


def test_classes_are_restored_after_an_exception() -> None:
    before = called(jax_model("MLP"))
    wrong = type(batches("MLP")[0])(np.ones((3, 4), np.float32), np.zeros(3, np.int64))
    with pytest.raises(TypeError):
        shared("flax", "MLP").trace(wrong, np.ones((3, 3)), training=True)
    assert called(jax_model("MLP")) == before


class Heir(jaxnets.MLP):
    """Inherits its call."""


class Caller(jaxnets.MLP):
    """Calls its parent's call."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return super().__call__(x)


@pytest.mark.parametrize("cls", [Heir, Caller])
def test_a_subclass_is_seen_once_and_restored(cls) -> None:
    model, other, tape = cls(sizes=(2, 3, 2), rngs=nnx.Rngs(0)), jaxnets.MLP(sizes=(2, 3), rngs=nnx.Rngs(0)), TwinTape()
    before = called(model) | called(other)
    with pytest.raises(KeyError), taps(model, tape):
        model(jnp.ones((1, 2)))
        assert called(model) != before
        raise KeyError
    assert called(model) | called(other) == before
    assert tape.paths == ["flatten", "layers.0", "layers.1", ""]


def test_only_the_modules_of_the_model_are_recorded() -> None:
    model, other = (jaxnets.MLP(sizes=(2, 3), rngs=nnx.Rngs(0)) for _ in range(2))
    tape = TwinTape()
    with taps(model, tape):
        other(jnp.ones((1, 2)))
        assert tape.paths == []
        model(jnp.ones((1, 2)))
    assert tape.paths == ["flatten", "layers.0", ""]


def hooks(twin: Twin) -> int:
    return sum(len(module._forward_hooks) for module in twin.model.modules())


def test_hooks_are_removed() -> None:
    twin = fresh("torch", "MLP")
    wrong = type(batches("MLP")[0])(np.ones((3, 4), np.float32), np.zeros(3, np.int64))
    twin.trace(batches("MLP")[0], cotangent("MLP"), training=True)
    assert hooks(twin) == 0
    with pytest.raises(RuntimeError):
        twin.trace(wrong, np.ones((3, 3)), training=True)
    assert hooks(twin) == 0
