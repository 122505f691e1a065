"""What the recipe of ResNet leaves out: bottlenecks, and the stem for small images."""

from typing import Any

import numpy as np
import pytest

import jaxnets
import torchnets
from parity.backends import twin_class
from parity.data import Batch
from parity.interface import random as initial
from parity.reference import ResNet
from tests.backends.small import close, joined
from tests.reference.numeric import Case
from tests.zoo.test_reference import wrong_gradients

CONFIG: dict[str, Any] = {"depths": (1, 2), "bottleneck": True, "stem": "cifar", "num_classes": 5, "width": 3}


def test_bottlenecks_and_the_small_stem_are_the_same() -> None:
    weights = initial.draw(ResNet(**CONFIG).shapes(), "probe", 0)
    rng = np.random.default_rng(1)
    batch = Batch(rng.standard_normal((3, 8, 8, 3)).astype(np.float32), np.array([0, 4, 2]))
    cotangent = rng.standard_normal((3, 5))
    traces = {}
    for framework in ("flax", "torch", "numpy"):
        cls = twin_class(framework)
        twin = cls(cls.build("ResNet", CONFIG))
        twin.load(weights)
        traces[framework] = twin.trace(batch, cotangent, training=True)
    for framework in ("flax", "torch"):
        assert traces[framework].outputs.keys() == traces["numpy"].outputs.keys()
        assert close(traces[framework].outputs[""], traces["numpy"].outputs[""])
        assert close(joined(traces[framework].gradients.parameters), joined(traces["numpy"].gradients.parameters))


def test_the_backward_of_bottlenecks_is_the_derivative() -> None:
    network, rng = ResNet(**CONFIG), np.random.default_rng(2)
    weights = initial.draw(network.shapes(), "probe", 0)
    assert wrong_gradients(Case(network, weights, rng.normal(size=(3, 8, 8, 3)), rng.normal(size=(3, 5)))) == set()


def test_the_larger_one_is_resnet_50() -> None:
    shapes = ResNet(depths=(3, 4, 6, 3), bottleneck=True).shapes()
    learnt = [shape for name, shape in shapes.items() if ".running_" not in name]
    assert sum(int(np.prod(shape)) for shape in learnt) == 25_557_032


@pytest.mark.parametrize("cls", [jaxnets.ResNet, torchnets.ResNet])
def test_a_stem_that_is_not_known_is_refused(cls: Any) -> None:
    random = {"rngs": None} if cls is jaxnets.ResNet else {}
    with pytest.raises(ValueError, match="stem is 'large'; expected 'imagenet' or 'cifar'"):
        cls(stem="large", **random)
