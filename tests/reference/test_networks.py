"""The networks: names, shapes, calls, and their backward against central differences."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from parity.reference import GRU, MLP, NETWORKS, RNN, VGG, Run, gru, mlp, modules
from parity.reference.gru import gates_backward
from parity.reference.norm import batch_norm_backward
from parity.reference.spatial import conv_backward, max_pool_backward
from parity.weights import is_buffer
from tests.reference.numeric import SMALL, Case, agrees, case

MODES = [(name, training) for name in SMALL for training in (True, False)]


def wrong_gradients(small: Case, training: bool) -> set[str]:
    """Name the parameters, the input ("inputs") and the calls ("output <call>") whose gradient is wrong."""
    rng = np.random.default_rng(1)
    gradients = small.gradients(training)
    points = {name: small.weights[name] for name in gradients.parameters} | {"inputs": small.inputs}
    found = gradients.parameters | {"inputs": gradients.input}
    wrong = {
        name
        for name, point in points.items()
        if not agrees(partial(value_with, small, training, name), point, found[name], rng)
    }
    outputs = small.run(training).outputs
    assert gradients.outputs.keys() == outputs.keys()
    return wrong | {
        f"output {call}"
        for call in outputs
        if not agrees(partial(value_with_output, small, training, call), outputs[call], gradients.outputs[call], rng)
    }


def value_with(small: Case, training: bool, replaced: str, array: Any) -> float:
    """Run with one weight, or the inputs, replaced."""
    return small.value(training, **{replaced: array})


def value_with_output(small: Case, training: bool, replaced: str, output: Any) -> float:
    """Run with one call's output replaced, the layers after it going on from there."""
    record = Run.record

    def recording(run: Run, call: str, inputs: Any, computed: Any, cache: Any) -> Any:
        return record(run, call, inputs, output if call == replaced else computed, cache)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "record", recording)
        return small.value(training)


@pytest.mark.parametrize(("name", "training"), MODES)
def test_backward_is_the_derivative_of_forward(name, training):
    assert wrong_gradients(case(name), training) == set()


def reset_gate_constant(cotangent: Any, cache: Any) -> Any:
    return gates_backward(cotangent, cache._replace(recurrent_n=np.zeros_like(cache.n)))


def state_forgotten(cotangent: Any, cache: Any) -> Any:
    to_inputs, to = gates_backward(cotangent, cache)
    return to_inputs, to | {"state": np.zeros_like(cotangent)}


def dense_bias_averaged(cotangent: Any, cache: Any) -> Any:
    inputs, kernel = cotangent @ cache.kernel.T, cache.inputs.T @ cotangent
    return inputs, {"kernel": kernel, "bias": cotangent.mean(axis=0)}


def statistics_constant(cotangent: Any, cache: Any) -> Any:
    return batch_norm_backward(cotangent, cache._replace(training=False))


def kernel_mirrored(cotangent: Any, cache: Any) -> Any:
    return conv_backward(cotangent, cache._replace(kernel=cache.kernel[::-1]))


def pool_mirrored(cotangent: Any, cache: Any) -> Any:
    return max_pool_backward(cotangent, cache._replace(winner=8 - cache.winner))


PLANTED = {
    "dense bias averaged": ("MLP", modules, "dense_backward", dense_bias_averaged),
    "relu lets all through": ("MLP", mlp, "relu_backward", lambda cotangent, _: cotangent),
    "block relu lets all through": ("VGG", modules, "relu_backward", lambda cotangent, _: cotangent),
    "tanh derivative left out": ("RNN", modules, "tanh_backward", lambda cotangent, _: cotangent),
    "reset gate taken for constant": ("GRU", gru, "gates_backward", reset_gate_constant),
    "no direct way to the state before": ("GRU", gru, "gates_backward", state_forgotten),
    "constant statistics": ("VGG", modules, "batch_norm_backward", statistics_constant),
    "kernel mirrored": ("VGG", modules, "conv_backward", kernel_mirrored),
    "pool to the wrong place": ("VGG", modules, "max_pool_backward", pool_mirrored),
    "flatten channels last": ("VGG", modules, "flatten_backward", lambda cotangent, shape: cotangent.reshape(shape)),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_wrong_backward_is_caught(bug, monkeypatch):
    name, where, function, wrong = PLANTED[bug]
    monkeypatch.setattr(where, function, wrong)
    assert wrong_gradients(case(name), training=True)


def test_a_wrong_gradient_of_one_step_is_caught(monkeypatch):
    monkeypatch.setattr(modules, "tanh_backward", lambda cotangent, state: cotangent * (1.0 - state**2) * 0.5)
    wrong = wrong_gradients(case("RNN"), training=True)
    assert "output hx[0]" in wrong and "output ph" not in wrong


@pytest.mark.parametrize(("name", "count"), [("MLP", 3_805_450), ("VGG", 9_231_114), ("RNN", 17_930), ("GRU", 51_594)])
def test_parameter_counts_are_the_study_s_and_ours(name, count):
    shapes = NETWORKS[name]().shapes()
    assert sum(int(np.prod(shape)) for weight, shape in shapes.items() if not is_buffer(weight)) == count


def test_names_and_calls_are_in_execution_order():
    vgg = case("VGG")
    assert list(vgg.network.shapes())[:7] == [
        "features.0.conv.kernel",
        "features.0.conv.bias",
        "features.0.norm.scale",
        "features.0.norm.bias",
        "features.0.norm.running_mean",
        "features.0.norm.running_var",
        "features.2.conv.kernel",
    ]
    calls = list(vgg.run(training=True).outputs)
    assert calls[:4] == ["features.0.conv", "features.0.norm", "features.0", "features.1"]
    assert calls[-3:] == ["flatten", "classifier", ""]
    assert list(case("MLP").run(training=True).outputs) == ["flatten", "layers.0", "layers.1", "layers.2", ""]
    assert list(case("RNN").run(training=True).outputs)[:4] == ["hx[0]", "hh[0]", "tanh[0]", "hx[1]"]
    assert list(case("RNN of one step").run(training=True).outputs) == ["hx", "hh", "tanh", "ph", ""]
    assert list(case("GRU").run(training=True).outputs)[:4] == ["cell.hx[0]", "cell.hh[0]", "cell[0]", "cell.hx[1]"]
    assert list(case("GRU of one step").run(training=True).outputs) == ["cell.hx", "cell.hh", "cell", "ph", ""]
    assert list(GRU().shapes())[:3] == ["cell.hx.kernel", "cell.hx.bias", "cell.hh.kernel"]
    assert list(RNN().shapes()) == ["hx.kernel", "hh.kernel", "hh.bias", "ph.kernel", "ph.bias"]


@pytest.mark.parametrize(("name", "training"), MODES)
def test_isolated_calls_repeat_the_run(name, training):
    small = case(name)
    run, gradients = small.run(training), small.gradients(training)
    summed: dict[str, Any] = {}
    for call, inputs in run.inputs.items():
        if call.partition("[")[0] == "cell":  # it takes the state before too
            continue
        cotangent = gradients.outputs[call]
        output, _, parameters = small.network.isolate(small.weights, call, inputs, cotangent, training=training)
        assert np.array_equal(output, run.outputs[call])
        if call == "" or (call in small.network.by_path and call + ".conv" in small.network.by_path):
            assert all(np.array_equal(parameters[n], gradients.parameters[n]) for n in parameters)
            continue
        for weight, gradient in parameters.items():
            summed[weight] = summed.get(weight, 0) + gradient
    assert summed.keys() == gradients.parameters.keys()
    for weight, total in summed.items():
        np.testing.assert_allclose(total, gradients.parameters[weight], rtol=1e-12)


def test_an_isolated_input_gradient_is_the_gradient_of_the_output_before():
    small = case("VGG")
    run, gradients = small.run(training=True), small.gradients(training=True)
    calls = ["features.0", "features.1", "features.2", "features.3", "features.4", "flatten", "classifier"]
    for before, call in pairwise(calls):
        arguments = call, run.inputs[call], gradients.outputs[call]
        _, input_gradient, _ = small.network.isolate(small.weights, *arguments, training=True)
        assert np.array_equal(input_gradient, gradients.outputs[before])


def test_buffers_move_in_training_only_and_weights_never():
    small = case("VGG")
    kept = {name: array.copy() for name, array in small.weights.items()}
    names = {name for name in kept if is_buffer(name)}
    trained, evaluated = small.run(training=True).buffers, small.run(training=False).buffers
    assert trained.keys() == evaluated.keys() == names
    for name in names:
        assert not np.array_equal(trained[name], kept[name])
        assert np.array_equal(evaluated[name], kept[name]) and evaluated[name] is not small.weights[name]
    assert all(np.array_equal(small.weights[name], kept[name]) for name in kept)


def test_backward_may_be_run_twice():
    small = case("RNN")
    run = small.run(training=True)
    first, second = (small.network.backward(run, small.cotangent) for _ in range(2))
    assert all(np.array_equal(first.parameters[name], second.parameters[name]) for name in first.parameters)


def test_float32_is_taken_as_float64():
    small = case("MLP")
    low = {name: array.astype(np.float32) for name, array in small.weights.items()}
    run = small.network.forward(low, small.inputs.astype(np.float32), training=False)
    assert all(array.dtype == np.float64 for array in run.outputs.values())


def test_sides_are_halved_rounding_up():
    assert VGG(plan=(3, "M", "M"), image_size=11).shapes()["classifier.kernel"] == (27, 10)
    assert VGG().shapes()["classifier.kernel"] == (512, 10)


def refusals() -> dict[str, Any]:
    vgg, recurrent = case("VGG"), case("RNN")
    weights = vgg.weights
    short = {name: array for name, array in weights.items() if name != "classifier.bias"}
    isolate = vgg.network.isolate
    return {
        "expected also the weights classifier.bias": lambda: vgg.network.forward(short, vgg.inputs, training=True),
        "does not have: head": lambda: vgg.run(training=True, head=np.zeros(1)),
        r"classifier.bias of shape \(3,\)": lambda: vgg.run(training=True, **{"classifier.bias": np.zeros(3)}),
        "got a cotangent": lambda: vgg.network.backward(vgg.run(training=True), np.zeros((3, 7))),
        "got call 'features.9'": lambda: isolate(weights, "features.9", vgg.inputs, vgg.inputs, training=True),
        "call 'features.1': got a cot": lambda: isolate(weights, "features.1", vgg.inputs, vgg.inputs, training=True),
        "GRU: got inputs .*steps > 0": lambda: case("GRU").run(training=True, inputs=np.zeros((3, 0, 2))),
        "got call .cell.0.., expected one of cell.hx, cell.hh, ph": lambda: case("GRU").network.isolate(
            {}, "cell[0]", np.zeros((3, 2)), np.zeros((3, 7)), training=True
        ),
        "RNN: got inputs .*steps > 0": lambda: recurrent.run(training=True, inputs=np.zeros((3, 0, 2))),
        "at least two": lambda: MLP(sizes=(3,)),
        "plan entry 1 'A'": lambda: VGG(plan=(3, "A")),
    }


@pytest.mark.parametrize("message", refusals())
def test_what_does_not_fit_is_refused(message):
    with pytest.raises(ValueError, match=message):
        refusals()[message]()
