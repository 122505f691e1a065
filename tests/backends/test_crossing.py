"""Canonical weights cross from one framework to the other, and files with them."""

import numpy as np
import pytest

from parity.weights import buffers, load, save
from tests.backends.small import SMALL, batches, close, fresh, shared, weights


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("one", "other"), [("flax", "torch"), ("torch", "flax")])
@pytest.mark.parametrize("name", SMALL)
def test_weights_cross_and_return_bit_for_bit(name, one, other, precision) -> None:
    start, there = shared(one, name, precision).weights(), fresh(other, name, precision)
    there.load({key: np.zeros_like(array) for key, array in start.items()})
    there.load(start)
    crossed, back = there.weights(), fresh(one, name, precision)
    back.load({key: np.zeros_like(array) for key, array in start.items()})
    back.load(crossed)
    assert start.keys() == crossed.keys() == back.weights().keys()
    for key, array in start.items():
        assert array.tobytes() == crossed[key].tobytes() == back.weights()[key].tobytes(), key
        assert array.dtype == crossed[key].dtype == precision
    assert bool(buffers(start)) == (name == "VGG")


@pytest.mark.parametrize(("one", "other"), [("flax", "torch"), ("torch", "flax")])
@pytest.mark.parametrize("name", SMALL)
def test_a_file_of_one_framework_is_the_same_network_in_the_other(name, one, other, tmp_path) -> None:
    save(shared(one, name).weights(), tmp_path / "weights.safetensors")
    reader, inputs = shared(other, name), batches(name)[0].inputs
    reader.load({key: np.zeros_like(array) for key, array in weights(name).items()})
    try:
        empty = reader.forward(inputs, training=False)
        reader.load(load(tmp_path / "weights.safetensors"))
    finally:
        own = reader.weights()
        reader.load(weights(name))
    assert all(np.array_equal(own[key], array) for key, array in weights(name).items())
    expected = shared(one, name).forward(inputs, training=False)
    assert close(reader.forward(inputs, training=False), expected) and not close(empty, expected)
