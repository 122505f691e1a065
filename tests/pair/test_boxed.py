"""Parameters in boxes that say how they are divided among devices are compared and converted as what they hold."""

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
BOXES = {
    "partitioned": nn.with_partitioning(nn.initializers.lecun_normal(), (None, "model")),
    "logical": nn.with_logical_partitioning(nn.initializers.lecun_normal(), ("embed", "mlp")),
}


class Port(nn.Module):
    box: str
    slope: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.tanh(nn.Dense(7, kernel_init=BOXES[self.box])(x))
        return self.slope * nn.Dense(3, kernel_init=BOXES[self.box])(x)


def model() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3))


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize(("slope", "verdict"), [(1.0, Verdict.SAME), (1.1, Verdict.DIFFERENT)])
def test_what_is_in_a_box_is_compared(box: str, slope: float, verdict: Verdict) -> None:
    port = Port(box, slope)
    checks = parity.Checks(probes=False)
    report = parity.compare((port, port.init(jax.random.key(0), X)), model(), X, checks=checks)
    assert report.verdict is verdict, report


def test_the_boxes_are_given_back() -> None:
    port, net = Port("logical"), model()
    before = port.init(jax.random.key(0), X)
    _, after = parity.convert((port, before), net, X)
    kernel = after["params"]["Dense_0"]["kernel"]
    assert isinstance(kernel, nn.LogicallyPartitioned) and kernel.names == ("embed", "mlp")
    assert np.allclose(kernel.unbox(), net.state_dict()["0.weight"].numpy().T)
    assert not isinstance(after["params"]["Dense_0"]["bias"], nn.LogicallyPartitioned)
