"""Everything that a parity check feeds to the twins, drawn once from a recipe and a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from parity.backends import Devices
from parity.checks.ladder import MAGNITUDES, STEPS, UPDATE_SHAPES
from parity.data import Batch, Stream, open_stream
from parity.interface import random as initial
from parity.interface.random import moved, single
from parity.interface.trace import Arrays
from parity.recipes import Recipe
from parity.weights import require_bijection


@dataclass(frozen=True)
class Case:
    """The inputs of one check. All arrays are float64 but the batches', which are as `Batch` says.

    Args:
        recipe: what is checked.
        shapes: canonical name → shape, as the reference network has them.
        weights: canonical weights, random in every array, of numbers that float32 holds exactly.
        moved: the same weights moved by one float64 ulp, up or down at random.
        batches: batches of real data, one for each training step.
        cotangent: random cotangent of the logits, (B, …, classes).
        learning_rates: learning rate of each training step, halved from step to step.
        update_parameters, update_gradients, update_rates: parameters, gradients and learning rates for the rung on
            the optimizer alone.
        stream, positions: the stream of the data rung, and (epoch, step) of its batches, over two epochs.
        seeds: seeds of the draws for the initialisation rung.
        devices: device counts on which training is compared with training on one device, a run each.
    """

    recipe: Recipe
    shapes: Mapping[str, tuple[int, ...]]
    weights: Arrays
    moved: Arrays
    batches: Sequence[Batch]
    cotangent: NDArray
    learning_rates: Sequence[float]
    update_parameters: Arrays
    update_gradients: Sequence[Arrays]
    update_rates: Sequence[float]
    stream: Stream
    positions: Sequence[tuple[int, int]]
    seeds: Sequence[int]
    devices: Sequence[Devices] = ()

    @property
    def parted_batches(self) -> list[Batch]:
        """The batches for training on several devices.

        The first has an odd size, so that a fault with uneven parts shows in the first step.
        """
        first, *others = self.batches
        size = len(first.labels) - 1 + len(first.labels) % 2
        return [first.part(slice(size)), *others]


def make_case(
    recipe: Recipe,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    seed: int = 0,
    folder: str | None = None,
    download: bool = False,
    weights: Mapping[str, NDArray] | None = None,
    devices: Sequence[Devices] = (),
) -> Case:
    """Draw a case. The same recipe, shapes and seed give the same case.

    Args:
        recipe: the recipe whose network, data and optimizer are checked.
        shapes: canonical name → shape of the network's weights.
        seed: seed of everything that is drawn.
        folder: folder of the images' files.
        download: whether the images may be fetched.
        weights: canonical weights to use instead of random ones; they are rounded to float32.
        devices: device counts on which training is compared with training on one device.

    Raises:
        UsageError: the data is not there, or the weights are not those of the network.
    """
    stream = open_stream(
        recipe.check_data,
        split="train",
        batch_size=recipe.check_batch_size,
        seed=seed,
        length=recipe.check_length or recipe.length,
        encoding=recipe.encoding,
        folder=folder,
        download=download,
        augment=recipe.augment,
        classes=recipe.classes,
    )
    rng = np.random.default_rng([seed, 1])
    weights = initial.draw(shapes, "probe", seed) if weights is None else _as_single(weights, shapes)
    batches = [_dithered(stream.batch(0, step % (stream.steps_per_epoch or STEPS)), rng) for step in range(STEPS)]
    return Case(
        recipe=recipe,
        shapes=shapes,
        weights=weights,
        moved={name: moved(array, rng) for name, array in weights.items()},
        batches=batches,
        cotangent=single(rng.standard_normal((*_outputs(batches[0]), recipe.classes))),
        learning_rates=_rates(recipe.optimizer.learning_rate, STEPS),
        update_parameters=_normal(rng, 1.0),
        update_gradients=[{**_normal(rng, size), "unused": np.zeros(UPDATE_SHAPES["unused"])} for size in MAGNITUDES],
        update_rates=_rates(recipe.optimizer.learning_rate, len(MAGNITUDES)),
        stream=stream,
        positions=[(epoch, step) for epoch in (0, 1) for step in range(min(2, stream.steps_per_epoch or 2))],
        seeds=_seeds(shapes, seed),
        devices=devices,
    )


def _outputs(batch: Batch) -> tuple[int, ...]:
    """Shape of what the network gives for a batch, but for its last axis."""
    return batch.labels.shape if batch.labels.dtype.kind == "i" else batch.labels.shape[:-1]


def _as_single(weights: Mapping[str, NDArray], shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    require_bijection(weights, shapes)
    return {name: single(weights[name]) for name in shapes}


def _dithered(batch: Batch, rng: Generator) -> Batch:
    """The batch with noise of up to half a grey level on its images; a batch without images, or with others than these,
    stays as it is.

    In flat regions all numbers in a window of a max-pool tie but for rounding, so that rounding would decide which of
    them gets the gradient.
    """
    if isinstance(batch.inputs, tuple) or batch.inputs.ndim != 4:
        return batch
    noise = rng.uniform(-0.5, 0.5, batch.inputs.shape) * [
        _grey_level(batch.inputs[..., c]) for c in range(batch.inputs.shape[-1])
    ]
    return Batch((batch.inputs + noise).astype(np.float32), batch.labels)


def _grey_level(channel: NDArray) -> float:
    """The smallest step between values of a channel, where values that differ by rounding alone count as equal."""
    steps = np.diff(np.unique(channel))
    return float(steps.min(initial=1.0, where=steps > np.finfo(np.float16).eps))


def _normal(rng: Generator, size: float) -> Arrays:
    return {name: single(size * rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}


def _rates(first: float, steps: int) -> list[float]:
    return [first * 0.5**step for step in range(steps)]


def _seeds(shapes: Mapping[str, tuple[int, ...]], seed: int) -> list[int]:
    """Enough draws to give the smallest array 512 numbers, or all arrays 2²² together; at least two."""
    sizes = [prod(shape) for shape in shapes.values()]
    draws = min(-(-512 // min(sizes)), max(2, 2**22 // sum(sizes)))
    return [(seed + draw) % 2**32 for draw in range(draws)]
