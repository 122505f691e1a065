"""The least work of a step: floating-point operations and bytes, by hand from the networks' shapes.

A multiplication and an addition are two operations. Products count (dense, convolution), forward once and backward
twice (for the input and for the kernel), the first layer's input gradient excepted. Bytes are those that must go
between memory and a device whose caches hold nothing from one layer to the next: each layer reads its input and its
weights and writes its output, forward; backward reads them and the cotangent again and writes the gradients; the
optimizer reads and writes parameters and moments. A cache that holds more makes the true least smaller, so the floor
is a floor of operations, and of bytes for networks whose layers do not fit in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from parity.recipes import Optimizer, Recipe

WIDTH = 4  # bytes of a float32
PRODUCTS = ("dense", "conv")


@dataclass(frozen=True)
class Layer:
    """One call of a layer, for a whole batch.

    Args:
        kind: "dense", "conv" or "pointwise" (norms, activations, pools).
        flops: operations of its product, forward; 0 for "pointwise".
        read, written: count of numbers in its input and in its output.
        weights: count of numbers in its kernel and bias.
        first: whether nothing below it takes a gradient.
    """

    kind: str
    flops: float
    read: int
    written: int
    weights: int
    first: bool = False


@dataclass(frozen=True)
class StepArithmetic:
    """The work of a step.

    Args:
        flops: kind of product, "dense" or "conv" → its operations.
        bytes: bytes that go between memory and the device.
    """

    flops: dict[str, float]
    bytes: float

    @property
    def total(self) -> float:
        """The operations of all kinds together."""
        return sum(self.flops.values())


def training(recipe: Recipe) -> StepArithmetic:
    """The work of one training step at the recipe's batch size."""
    layers = list(_layers(recipe))
    flops = {kind: sum(x.flops * (2 if x.first else 3) for x in layers if x.kind == kind) for kind in PRODUCTS}
    moved = sum(2 * (x.read + x.written + x.weights) + x.written + (0 if x.first else x.read) for x in layers)
    return StepArithmetic(flops, WIDTH * (moved + _update(recipe.optimizer, _parameters(recipe))))


def inference(recipe: Recipe) -> StepArithmetic:
    """The work of one pass in evaluation mode at the recipe's batch size."""
    layers = list(_layers(recipe))
    flops = {kind: sum(x.flops for x in layers if x.kind == kind) for kind in PRODUCTS}
    return StepArithmetic(flops, WIDTH * sum(x.read + x.written + x.weights for x in layers))


def _update(optimizer: Optimizer, parameters: int) -> int:
    """The count of numbers that the optimizer reads and writes: gradient, parameter twice, each moment twice."""
    return parameters * (3 + 2 * len(optimizer.moments))


def _parameters(recipe: Recipe) -> int:
    if recipe.parameters is None:
        raise ValueError(f"recipe {recipe.name} states no number of parameters")
    return recipe.parameters


def _layers(recipe: Recipe) -> Iterator[Layer]:
    return {"MLP": _mlp, "VGG": _vgg, "RNN": _rnn}[recipe.network](recipe)


def _dense(batch: int, inputs: int, outputs: int, *, first: bool = False) -> Layer:
    flops = 2.0 * batch * inputs * outputs
    return Layer("dense", flops, batch * inputs, batch * outputs, (inputs + 1) * outputs, first)


def _mlp(recipe: Recipe) -> Iterator[Layer]:
    for i, (inputs, outputs) in enumerate(pairwise(recipe.config["sizes"])):
        yield _dense(recipe.batch_size, inputs, outputs, first=i == 0)


def _rnn(recipe: Recipe) -> Iterator[Layer]:
    batch, hidden = recipe.batch_size, recipe.config["hidden_size"]
    for step in range((recipe.length or 1) - 1):  # the last element is the label
        yield _dense(batch, recipe.config["input_size"], hidden, first=True)
        if step:  # the first state is zero
            yield _dense(batch, hidden, hidden)
    yield _dense(batch, hidden, recipe.config["num_classes"])


def _vgg(recipe: Recipe) -> Iterator[Layer]:
    batch, size, channels = recipe.batch_size, 32, 3
    for i, entry in enumerate(recipe.config["plan"]):
        if isinstance(entry, int):
            maps = batch * size * size
            yield Layer(
                "conv",
                2.0 * maps * entry * inside(size, 3) * channels,
                maps * channels,
                maps * entry,
                9 * channels * entry + entry,
                first=i == 0,
            )
            yield Layer("pointwise", 0.0, maps * entry, maps * entry, 2 * entry)  # norm and ReLU, fused
            channels = entry
        else:
            after = (size + 1) // 2
            yield Layer("pointwise", 0.0, batch * size**2 * channels, batch * after**2 * channels, 0)
            size = after
    yield _dense(batch, channels * prod((size, size)), recipe.config.get("num_classes", 10))


def inside(size: int, kernel: int) -> float:
    """The mean number of kernel elements that fall on the map and not on its padding, for square sizes and stride 1."""
    pad = kernel // 2
    along = sum(min(i + pad, size - 1) - max(i - pad, 0) + 1 for i in range(size)) / size
    return along**2
