"""Small networks with random weights and batches, each twin and trace made once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.backends import Precision, Twin, twin_class
from parity.checks.referee import HighLow, rule, rule_drift
from parity.checks.verdict import Verdict
from parity.data import Batch
from parity.interface import random as initial
from parity.interface.trace import Arrays, Probe, Trace, call_path
from parity.recipes import Optimizer
from parity.reference import NETWORKS

FRAMEWORKS = ("flax", "torch", "numpy")
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")


@dataclass(frozen=True)
class Small:
    """A network, its keywords, the shape of its inputs, and its number of classes."""

    network: str
    config: dict[str, Any]
    inputs: tuple[int, ...]
    classes: int


SMALL = {
    "MLP": Small("MLP", {"sizes": (30, 11, 7, 3)}, (13, 3, 2, 5), 3),
    "VGG": Small("VGG", {"plan": (5, "M", 7), "num_classes": 11, "image_size": 8}, (13, 8, 8, 3), 11),
    "RNN": Small("RNN", {"input_size": 2, "hidden_size": 7, "num_classes": 5}, (13, 3, 2), 5),
    "GRU": Small("GRU", {"input_size": 2, "hidden_size": 7, "num_classes": 5}, (13, 3, 2), 5),
}
SGD = Optimizer(kind="sgd", learning_rate=0.05, momentum=0.9)


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    return NETWORKS[SMALL[name].network](**SMALL[name].config).shapes()


def weights(name: str, seed: int = 0) -> Arrays:
    return initial.draw(shapes(name), "probe", seed)


def batches(name: str, steps: int = 2) -> list[Batch]:
    rng, small = np.random.default_rng(1), SMALL[name]
    return [
        Batch(rng.standard_normal(small.inputs).astype(np.float32), rng.integers(0, small.classes, small.inputs[0]))
        for _ in range(steps)
    ]


def cotangent(name: str) -> NDArray:
    numbers = np.random.default_rng(2).standard_normal((SMALL[name].inputs[0], SMALL[name].classes))
    return numbers.astype(np.float32).astype(np.float64)


def fresh(framework: str, name: str, precision: Precision = "float64") -> Twin:
    """A twin of its own, for a test that changes it."""
    cls, small = twin_class(framework), SMALL[name]
    twin = cls(cls.build(small.network, small.config), precision=precision)
    twin.load(weights(name))
    return twin


@cache
def shared(framework: str, name: str, precision: Precision = "float64") -> Twin:
    """A twin that all tests read and none changes."""
    return fresh(framework, name, precision)


@contextmanager
def loaded(framework: str, name: str, others: Arrays) -> Iterator[Twin]:
    """The shared twin with other weights meanwhile: its programs are compiled already."""
    twin = shared(framework, name)
    twin.load(others)
    try:
        yield twin
    finally:
        twin.load(weights(name))


@cache
def trace(framework: str, name: str, precision: Precision, training: bool) -> Trace:
    return shared(framework, name, precision).trace(batches(name)[0], cotangent(name), training=training)


def both(read: Callable[[Precision], NDArray]) -> HighLow:
    """What is read in each precision."""
    return HighLow(read("float64"), read("float32"))


def ruled_same(pairs: dict[str, HighLow], *, smooth: bool = True) -> bool:
    """Whether the project's referee calls the twins, and the reference if there is one, the same."""
    return rule("array", "", pairs, smooth=smooth).verdict is Verdict.SAME


def close(a: NDArray, b: NDArray) -> bool:
    """Whether two float64 arrays differ by float64 rounding only, as the referee has it for numbers without drift."""
    return rule_drift("array", "", {"a": np.asarray(a), "b": np.asarray(b)}, {"a": np.asarray(a)}).verdict.passes


def joined(arrays: Arrays) -> NDArray:
    """All arrays in one, so that gradients that are nothing but rounding are seen beside those that are not."""
    return np.concatenate([arrays[name].ravel() for name in sorted(arrays)])


def probes(found: Trace) -> dict[str, Probe]:
    """What every call was fed, and the gradient that its output got; a cell takes the state before too, so it cannot be
    called alone."""
    alone = [call for call in found.outputs if call_path(call) != "cell"]
    return {call: Probe(found.inputs[call], found.gradients.outputs[call]) for call in alone}


def calls(name: str) -> dict[str, Callable[[Twin], object]]:
    """Every method that looks at a twin, or trains a copy of it."""
    two, given = batches(name), {"kernel": np.ones((2, 3))}
    return {
        "forward": lambda twin: twin.forward(two[0].inputs, training=True),
        "trace": lambda twin: twin.trace(two[0], cotangent(name), training=True),
        "isolate": lambda twin: twin.isolate(probes(trace("numpy", name, "float64", True)), training=True),
        "state": lambda twin: twin.state(two),
        "train": lambda twin: twin.train(two, SGD, [0.1, 0.05]),
        "update": lambda twin: twin.update(SGD, given, [given, given], [0.1, 0.05]),
        "receive": lambda twin: twin.receive(two[0]),
        "weights": lambda twin: twin.weights(),
    }


def arrays_in(found: Any) -> list[NDArray]:
    """Every array inside a result."""
    if isinstance(found, np.ndarray):
        return [found]
    if hasattr(found, "__dataclass_fields__"):
        found = [getattr(found, field.name) for field in fields(found)]
    inner = found.values() if isinstance(found, dict) else found
    return [array for part in inner for array in arrays_in(part)]
