"""The workloads that are timed: the study's recipes at their real sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Literal

from parity import recipes
from parity.backends import twin_class
from parity.data import Batch, Stream, open_stream
from parity.errors import UsageError, unknown_name
from parity.interface import random as initial
from parity.interface.trace import Arrays
from parity.recipes import Recipe
from parity.twins.case import Case, make_case

Precision = Literal["float32", "tf32", "bfloat16", "float64"]
PRECISIONS = ("float32", "tf32", "bfloat16")
"""Precisions that can be timed; each variant is proven in float64."""
BATCHES = 16
BYTES = 2**26  # most that the batches of a timing take together


@dataclass(frozen=True)
class Workload:
    """A recipe at the size that is timed.

    Args:
        name: its name in the command and in records.
        recipe: the recipe, with the batch size and the length that are timed.
        title: its title in tables.
    """

    name: str
    recipe: Recipe
    title: str

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Canonical name → shape of every parameter and buffer."""
        return twin_class("numpy").build(self.recipe.network, self.recipe.config).shapes()

    def weights(self) -> Arrays:
        """Initial weights as training draws them, canonical."""
        return initial.draw(self.shapes, self.recipe.init, 0)

    def case(self) -> Case:
        """The inputs of the gate: three real batches of the size that is timed, and weights random in every array."""
        recipe = replace(self.recipe, check_batch_size=self.recipe.batch_size, check_length=self.recipe.length)
        return make_case(recipe, self.shapes)

    def stream(self) -> Stream:
        """The training batches, of the data set that the parity check uses."""
        recipe = self.recipe
        return open_stream(
            recipe.check_data,
            split="train",
            batch_size=recipe.batch_size,
            seed=0,
            length=recipe.length,
            encoding=recipe.encoding,
            augment=recipe.augment,
        )

    def batches(self) -> list[Batch]:
        """Real training batches of full size, at most BATCHES of them and about BYTES together, at least one."""
        recipe, stream = self.recipe, self.stream()
        first = stream.batch(0, 0)
        count = max(1, min(BATCHES, stream.steps_per_epoch or BATCHES, BYTES // first.inputs.nbytes))
        batches = [stream.batch(0, step) for step in range(count)]
        return [batch for batch in batches if len(batch.labels) == recipe.batch_size]


def _of(name: str, recipe: str, title: str, batch: int, length: int | None = None) -> Workload:
    loaded = recipes.load(recipe)
    return Workload(name, replace(loaded, batch_size=batch, length=length or loaded.length), title)


def workloads() -> dict[str, Workload]:
    """Name → workload, the small ones first."""
    entries = (
        _of("points", "moons", "point MLP, batch 800", 800),
        _of("rnn-5", "rnn", "RNN, T = 5, batch 128", 128, 5),
        _of("rnn-30", "rnn", "RNN, T = 30, batch 128", 128, 30),
        _of("mlp", "mlp", "CIFAR MLP, batch 128", 128),
        _of("vgg-32", "vgg", "VGG, batch 32", 32),
        _of("vgg-256", "vgg", "VGG, batch 256", 256),
    )
    return {workload.name: workload for workload in entries}


def load(name: str) -> Workload:
    """The workload of a name; "NAME:AXIS=VALUE" is one at another size along one of `AXES`.

    Raises:
        UsageError: there is none.
    """
    base, changed, change = name.partition(":")
    known = workloads()
    if base not in known:
        raise unknown_name("workload", base, known)
    return varied(known[base], *_change(name, change)) if changed else known[base]


def varied(base: Workload, axis: str, value: int) -> Workload:
    """The workload at another size along one of `AXES`.

    Raises:
        UsageError: there is no such axis, or the network does not have it.
    """
    if axis not in AXES:
        raise unknown_name("axis", axis, AXES)
    recipe = replace(AXES[axis](base.recipe, value), parameters=None)
    return Workload(f"{base.name}:{axis}={value}", recipe, f"{base.title}, {axis} {value:,}")


def _change(name: str, change: str) -> tuple[str, int]:
    axis, _, value = change.partition("=")
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"got workload {name}; a size is given as NAME:AXIS=VALUE, its value a whole number from 1")
    return axis, int(value)


def _wide(recipe: Recipe, width: int) -> Recipe:
    """The recipe with a first hidden layer of this width; those after it shrink or grow alike."""
    if "sizes" not in recipe.config:
        return replace(recipe, config={**recipe.config, "hidden_size": width})
    first, *hidden, last = recipe.config["sizes"]
    return _sized(recipe, (first, *(max(1, width * size // hidden[0]) for size in hidden), last))


def _heavy(recipe: Recipe, parameters: int) -> Recipe:
    """The MLP with two equal hidden layers and about this many parameters.

    Their number is h² + h·(inputs + outputs + 2) + outputs for layers of width h, which is rounded down.
    """
    if "sizes" not in recipe.config:
        raise UsageError(f"only an MLP has an axis of parameters, got {recipe.name}")
    first, *_, last = recipe.config["sizes"]
    around = first + last + 2
    hidden = (isqrt(around**2 + 4 * max(0, parameters - last)) - around) // 2
    return _sized(recipe, (first, max(1, hidden), max(1, hidden), last))


def _long(recipe: Recipe, length: int) -> Recipe:
    if recipe.length is None:
        raise UsageError(f"only palindromes have a length, got {recipe.name}")
    return replace(recipe, length=length)


def _sized(recipe: Recipe, sizes: tuple[int, ...]) -> Recipe:
    return replace(recipe, config={**recipe.config, "sizes": sizes})


AXES: Mapping[str, Callable[[Recipe, int], Recipe]] = {
    "batch": lambda recipe, value: replace(recipe, batch_size=value),
    "width": _wide,
    "length": _long,
    "parameters": _heavy,
}
"""Name of a size → function that gives a recipe another value of it."""
