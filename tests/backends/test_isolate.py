"""A call alone does what it did inside the network."""

from itertools import pairwise

import numpy as np
import pytest

from parity.interface.trace import Probe, Reading, call_path
from tests.backends.small import FRAMEWORKS, SMALL, close, joined, probes, shared, trace

MODES = [(name, training) for name in SMALL for training in (True, False)]
CHAIN = ["features.0", "features.1", "features.2", "flatten", "classifier"]


def isolated(framework: str, name: str, training: bool) -> dict[str, Reading]:
    """Every call alone, fed what the trace fed it."""
    fed = probes(trace(framework, name, "float64", training))
    fed.pop("", None)
    return shared(framework, name).isolate(fed, training=training)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "training"), MODES)
def test_it_repeats_the_trace(framework, name, training) -> None:
    found, alone = trace(framework, name, "float64", training), isolated(framework, name, training)
    assert alone.keys() == {call for call in found.outputs if call and call_path(call) != "cell"}
    for call, reading in alone.items():
        assert close(reading.output, found.outputs[call]), call
        assert reading.input_gradient.shape == found.inputs[call].shape, call


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "training"), MODES)
def test_gradients_of_all_calls_add_up_to_the_networks(framework, name, training) -> None:
    whole = trace(framework, name, "float64", training).gradients.parameters
    summed = {parameter: np.zeros_like(array) for parameter, array in whole.items()}
    for call, reading in isolated(framework, name, training).items():
        for parameter, array in reading.parameter_gradients.items():
            assert parameter.rpartition(".")[0] == call_path(call)
            summed[parameter] += array
    assert close(joined(summed), joined(whole))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_the_gradient_of_an_input_is_that_of_the_output_before(framework, training) -> None:
    found, alone = trace(framework, "VGG", "float64", training), isolated(framework, "VGG", training)
    assert close(alone[CHAIN[0]].input_gradient, found.gradients.input)
    for before, call in pairwise(CHAIN):
        assert close(alone[call].input_gradient, found.gradients.outputs[before]), call


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_takes_the_given_input_and_cotangent(framework) -> None:
    rng = np.random.default_rng(3)
    x, cotangent = rng.standard_normal((4, 7)), rng.standard_normal((4, 5))
    twin = shared(framework, "RNN")
    reading = twin.isolate({"ph": Probe(x, cotangent)}, training=False)["ph"]
    kernel, bias = twin.weights()["ph.kernel"], twin.weights()["ph.bias"]
    assert close(reading.output, x @ kernel + bias)
    assert close(reading.input_gradient, cotangent @ kernel.T)
    assert close(reading.parameter_gradients["ph.kernel"], x.T @ cotangent)
    assert close(reading.parameter_gradients["ph.bias"], cotangent.sum(0))
