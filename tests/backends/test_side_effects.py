"""What a look at a twin leaves as it was: the twin, the frameworks' configuration, the caller's arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
import pytest
import torch

from parity.backends import twin_class
from tests.backends.small import (
    FRAMEWORKS,
    PRECISIONS,
    arrays_in,
    batches,
    calls,
    fresh,
    loaded,
    shared,
    trace,
    weights,
)

METHODS = list(calls("VGG"))
ONEDNN: Any = torch.backends.mkldnn
CONFIG: Any = jax.config


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_weights_stay(framework, method) -> None:
    twin = shared(framework, "VGG")
    calls("VGG")[method](twin)
    after, expected = twin.weights(), weights("VGG")
    assert after.keys() == expected.keys()
    assert all(np.array_equal(after[name], expected[name]) for name in expected)


def configuration() -> dict[str, Any]:
    cudnn: Any = torch.backends.cudnn
    return {
        "x64": CONFIG.jax_enable_x64,
        "matmul": CONFIG.jax_default_matmul_precision,
        "device": CONFIG.jax_default_device,
        "jit": CONFIG.jax_disable_jit,
        "float32 products": torch.backends.cuda.matmul.fp32_precision,
        "float32 convolutions": cudnn.conv.fp32_precision,
        "oneDNN": ONEDNN.matmul.fp32_precision,
        "default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "random": torch.random.get_rng_state().tolist(),
    }


@pytest.mark.parametrize("framework", ["flax", "torch"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_configuration_stays(framework, precision) -> None:
    before = configuration()
    fresh(framework, "MLP", precision)
    for method, call in calls("MLP").items():
        call(shared(framework, "MLP", precision))
        assert configuration() == before, method


@contextmanager
def products(place: Any, precision: str) -> Iterator[None]:
    """Another precision of float32 products meanwhile (pytest's monkeypatch cannot put this attribute back)."""
    before = place.fp32_precision
    place.fp32_precision = precision
    try:
        yield
    finally:
        place.fp32_precision = before


def test_another_configuration_stays_too() -> None:
    with products(torch.backends.cuda.matmul, "tf32"), jax.enable_x64(True), jax.default_matmul_precision("bfloat16"):
        before = configuration()
        for framework in ("flax", "torch"):
            for call in calls("MLP").values():
                call(shared(framework, "MLP", "float32"))
        assert configuration() == before
    assert before["float32 products"] == "tf32" and before["x64"] and before["matmul"] == "bfloat16"


def test_configuration_stays_after_an_exception() -> None:
    before = configuration()
    for framework, error in (("flax", TypeError), ("torch", RuntimeError)):
        with pytest.raises(error):
            shared(framework, "MLP", "float64").forward(np.ones((2, 5), np.float32), training=True)
    assert configuration() == before


@pytest.mark.parametrize("framework", ["flax", "torch"])
def test_float32_is_strict_whatever_the_configuration(framework) -> None:
    inputs = batches("MLP")[0].inputs
    strict = shared(framework, "MLP", "float32").forward(inputs, training=False)
    twin: Any = shared(framework, "MLP", "float32")
    with products(torch.backends.cuda.matmul, "tf32"), jax.default_matmul_precision("bfloat16"), jax.enable_x64(True):
        assert np.array_equal(twin.forward(inputs, training=False), strict)
        with twin.setting():
            assert framework == "torch" or CONFIG.jax_default_matmul_precision == "highest"
            assert framework == "flax" or torch.backends.cuda.matmul.fp32_precision == "ieee"


def test_float32_is_strict_on_the_cpu() -> None:
    twin: Any = shared("torch", "MLP", "float32")
    with products(ONEDNN.matmul, "bf16"), twin.setting():
        assert ONEDNN.matmul.fp32_precision == "ieee"


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method", [method for method in METHODS if method != "receive"])
def test_float64_comes_out_as_float64(framework, method) -> None:
    found = arrays_in(calls("VGG")[method](shared(framework, "VGG")))
    assert found and {array.dtype for array in found} == {np.dtype("float64")}


@pytest.mark.parametrize("framework", ["flax", "torch"])
@pytest.mark.parametrize("method", [method for method in METHODS if method != "receive"])
def test_float32_comes_out_as_float32(framework, method) -> None:
    found = arrays_in(calls("MLP")[method](shared(framework, "MLP", "float32")))
    assert found and {array.dtype for array in found} == {np.dtype("float32")}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_batch_is_received_as_it_was_sent(framework) -> None:
    for name in ("VGG", "RNN"):
        batch = batches(name)[0]
        received = shared(framework, name).receive(batch)
        assert received.digest() == batch.digest()
        assert received.inputs.flags.c_contiguous


def test_nothing_from_torch_shares_memory_with_the_model() -> None:
    twin = fresh("torch", "VGG")
    twin.model.eval()
    shown = [array for method in METHODS for array in arrays_in(calls("VGG")[method](twin))]
    copies = [array.copy() for array in shown]
    with torch.no_grad():
        for tensor in (*twin.model.parameters(), *twin.model.buffers()):
            tensor.add_(1)
    assert not twin.model.training
    assert all(np.array_equal(array, copy) for array, copy in zip(shown, copies, strict=True))
    assert not any(np.array_equal(array, weights("VGG")[name]) for name, array in twin.weights().items())


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_was_shown_stays_when_other_weights_are_loaded(framework) -> None:
    shown = [array for call in calls("MLP").values() for array in arrays_in(call(shared(framework, "MLP")))]
    copies = [array.copy() for array in shown]
    with loaded(framework, "MLP", weights("MLP", seed=1)) as twin:
        twin.forward(batches("MLP")[0].inputs, training=True)
        assert not np.array_equal(twin.weights()["layers.0.kernel"], weights("MLP")["layers.0.kernel"])
    assert all(np.array_equal(array, copy) for array, copy in zip(shown, copies, strict=True))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_callers_arrays_are_copied(framework) -> None:
    twin, given = fresh(framework, "MLP"), weights("MLP")
    twin.load(given)
    for array in given.values():
        array += 1
    assert all(np.array_equal(array, weights("MLP")[name]) for name, array in twin.weights().items())


@pytest.mark.parametrize("framework", ["torch", "numpy"])
def test_the_shown_weights_are_the_callers(framework) -> None:
    twin = fresh(framework, "MLP")
    for array in twin.weights().values():
        array += 1
    assert all(np.array_equal(array, weights("MLP")[name]) for name, array in twin.weights().items())


def test_weights_of_jax_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        shared("flax", "MLP").weights()["layers.0.bias"] += 1


def test_programs_of_one_shape_serve_another() -> None:
    twin, (first, second) = shared("flax", "MLP"), batches("MLP")
    twin.forward(first.inputs[:2], training=True)
    whole = trace("numpy", "MLP", "float64", True).outputs[""]
    assert twin.forward(first.inputs, training=True).shape == whole.shape
    assert not np.array_equal(twin.forward(second.inputs, training=True), whole)


def test_a_torch_model_is_left_alone() -> None:
    cls = twin_class("torch")
    model = cls.build("VGG", {"plan": (5, "M"), "image_size": 4}, seed=0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = cls(model)
    twin.load({name: array + 1 for name, array in twin.weights().items()})
    assert model.training and all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_jax_model_is_left_alone() -> None:
    model: Any = twin_class("flax").build("VGG", {"plan": (5,), "image_size": 2})
    twin_class("flax")(model)
    assert not model.features[0].norm.use_running_average
