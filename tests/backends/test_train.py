"""Training runs and optimizers alone: three frameworks, equal weights, one answer."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from parity.backends.torch.training.network import TorchNetwork
from parity.checks.referee import HighLow, rule_drift
from parity.interface.trace import Arrays, Trajectory
from parity.recipes import Optimizer
from tests.backends.small import (
    FRAMEWORKS,
    PRECISIONS,
    SGD,
    batches,
    close,
    joined,
    loaded,
    ruled_same,
    shared,
    trace,
    weights,
)

RATES = (0.02, 0.01, 0.005)
ADAM = Optimizer(kind="adam", learning_rate=0.02, weight_decay=0.1)
RMSPROP = Optimizer(kind="rmsprop", learning_rate=0.02, clip_norm=0.5)
RUNS = {
    "adam with L2": ("MLP", ADAM),
    "rmsprop with clipping": ("RNN", RMSPROP),
    "rmsprop on gates": ("GRU", RMSPROP),
    "sgd": ("MLP", replace(SGD, momentum=0.0)),
    "sgd with momentum and statistics": ("VGG", SGD),
}


def moved(name: str) -> Arrays:
    rng = np.random.default_rng(4)
    return {key: np.nextafter(a, np.where(rng.random(a.shape) < 0.5, -9, 9)) for key, a in weights(name).items()}


@cache
def run(framework: str, name: str, optimizer: Optimizer, *, from_moved: bool = False) -> Trajectory:
    with loaded(framework, name, moved(name) if from_moved else weights(name)) as twin:
        return twin.train(batches(name, len(RATES)), optimizer, RATES)


def drift(name: str, optimizers: dict[str, Optimizer], what: str) -> str:
    """The referee's verdict on the end of the runs."""

    def end(found: Trajectory) -> np.ndarray:
        return joined(found.weights) if what == "weights" else found.losses

    values = {framework: end(run(framework, name, optimizer)) for framework, optimizer in optimizers.items()}
    own = {"torch": end(run("torch", name, optimizers["torch"], from_moved=True))}
    return str(rule_drift("run", what, values, own).verdict)


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("what", ["weights", "losses"])
def test_all_frameworks_train_alike(kind, what) -> None:
    name, optimizer = RUNS[kind]
    assert drift(name, dict.fromkeys(FRAMEWORKS, optimizer), what) == "same"


def test_a_slightly_different_optimizer_is_noticed() -> None:
    changed = {
        "adam with L2": replace(ADAM, weight_decay=0.1001),
        "rmsprop with clipping": replace(RMSPROP, clip_norm=0.5001),
        "sgd with momentum and statistics": replace(SGD, momentum=0.9001),
    }
    for kind, other in changed.items():
        name, optimizer = RUNS[kind]
        assert drift(name, {"torch": optimizer, "numpy": other}, "weights") == "different", kind


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_starts_from_the_weights_and_its_first_loss_is_the_traces(framework) -> None:
    found = run(framework, "VGG", SGD)
    assert found.losses.shape == (len(RATES),)
    assert close(found.losses[:1], trace(framework, "VGG", "float64", True).loss.reshape(1))
    assert {name: array.shape for name, array in found.weights.items()} == shared(framework, "VGG").shapes()
    stay = {name for name, array in found.weights.items() if np.array_equal(array, weights("VGG")[name])}
    assert stay <= {"features.0.conv.bias", "features.2.conv.bias"}  # batch norm takes their gradients away


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_can_be_repeated(framework) -> None:
    first, again = run(framework, "MLP", ADAM), shared(framework, "MLP").train(batches("MLP", 3), ADAM, RATES)
    assert np.array_equal(first.losses, again.losses)
    assert np.array_equal(joined(first.weights), joined(again.weights))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_step_takes_its_own_learning_rate(framework) -> None:
    twin, two = shared(framework, "MLP"), batches("MLP")
    still, last = (twin.train(two, replace(SGD, momentum=0.0), [0.0, rate]) for rate in (0.0, 0.1))
    assert np.array_equal(joined(still.weights), joined(weights("MLP")))
    assert np.array_equal(still.losses, last.losses) and not np.array_equal(joined(last.weights), joined(still.weights))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_wants_a_rate_for_each_step(framework) -> None:
    with pytest.raises(ValueError, match="1 learning rates for 2 steps"):
        shared(framework, "MLP").train(batches("MLP"), SGD, [0.1])


def single(array: np.ndarray) -> np.ndarray:
    """Float64 numbers that float32 holds exactly."""
    return array.astype(np.float32).astype(np.float64)


@cache
def update(framework: str, precision: str, optimizer: Optimizer) -> list[Arrays]:
    rng = np.random.default_rng(5)
    shapes = {"kernel": (3, 5), "bias": (7,)}
    start = {name: single(rng.standard_normal(shape)) for name, shape in shapes.items()}
    stream = [
        {name: single(size * rng.standard_normal(a.shape)) for name, a in start.items()} for size in (3, 0.01, 1e-6)
    ]
    twin = shared(framework, "MLP", precision)
    return twin.update(optimizer, start, stream, RATES)


MOMENTS = {
    "adam with L2": {"exp_avg", "exp_avg_sq"},
    "rmsprop with clipping": {"square_avg"},
    "rmsprop on gates": {"square_avg"},
    "sgd": set(),
    "sgd with momentum and statistics": {"momentum_buffer"},
}


@pytest.mark.parametrize("kind", RUNS)
def test_optimizers_alone_agree_on_parameters_and_moments(kind) -> None:
    optimizer, names = RUNS[kind][1], {"parameter", *MOMENTS[kind]}
    for step in range(len(RATES)):
        reference = update("numpy", "float64", optimizer)[step]
        assert reference.keys() == {f"{name}.{array}" for name in names for array in ("kernel", "bias")}
        for name, array in reference.items():
            pairs = {
                framework: HighLow(*(update(framework, precision, optimizer)[step][name] for precision in PRECISIONS))
                for framework in ("flax", "torch")
            }
            assert ruled_same({**pairs, "numpy": HighLow(array)}), (step, name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_state_is_that_of_several_passes(framework) -> None:
    twin, two = shared(framework, "VGG"), batches("VGG")
    once, _ = twin.state(two[:1])
    twice, logits = twin.state(two)
    alone = trace(framework, "VGG", "float64", True).buffers
    assert once.keys() == twice.keys() == alone.keys()
    assert all(close(once[name], alone[name]) and not close(twice[name], once[name]) for name in once)
    with loaded(framework, "VGG", {**weights("VGG"), **twice}) as other:
        assert close(other.forward(two[-1].inputs, training=False), logits)


@pytest.mark.parametrize("optimizer", [ADAM, SGD])
def test_a_gradient_that_lies_in_another_order_moves_its_own_elements(optimizer: Optimizer) -> None:
    start, gradient = torch.arange(6.0).reshape(2, 3), torch.tensor([[1.0, -2, 3], [-4, 5, -6]])
    ends = []
    for given in (gradient, gradient.t().contiguous().t()):
        network = TorchNetwork(nn.Linear(3, 2, bias=False), precision="float32")
        network.model.weight = nn.Parameter(start.clone())
        parameters = list(network.model.parameters())
        rule = network.optimizer(parameters, optimizer)
        for _ in range(2):
            network.apply(rule, parameters, [given], optimizer, 0.1)
        ends.append(parameters[0].detach())
    assert torch.equal(*ends) and not torch.equal(ends[0], start)
