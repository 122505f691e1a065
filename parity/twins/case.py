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
    """One check's inputs.

    Args:
        recipe: what is checked.
        shapes: canonical name → shape, as the reference network has them.
        weights: random in every array, float64 numbers that float32 holds exactly.
        moved: the same moved by one float64 ulp, up or down at random.
        batches: real data, one batch a step.
        cotangent: of the logits.
        learning_rates: one a step, changing.
        update_parameters, update_gradients, update_rates: what the optimizer alone is fed.
        stream, positions: batches for the data rung, over two epochs.
        seeds: of the draws for the initialisation rung.
        devices: on which it is trained beside one, a run each.
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
        """What is trained on several devices: the batches, of which the first is of a size that no even number divides,
        so that what is wrong with uneven parts shows in the first step."""
        first, *others = self.batches
        size = len(first.labels) - 1 + len(first.labels) % 2
        return [Batch(first.inputs[:size], first.labels[:size]), *others]


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
    """Draw a case.

    Args:
        recipe: its network, data and optimizer.
        shapes: of the network's weights.
        seed: of everything that is drawn.
        folder, download: where the images' files are, and whether they may be fetched.
        weights: instead of random ones; as float32 holds them.
        devices: on which it is trained beside one.

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
    weights = initial.draw(shapes, "probe", seed) if weights is None else _given(weights, shapes)
    batches = [_dithered(stream.batch(0, step % (stream.steps_per_epoch or STEPS)), rng) for step in range(STEPS)]
    classes = weights[[name for name in weights if name.endswith(".bias")][-1]].size
    return Case(
        recipe=recipe,
        shapes=shapes,
        weights=weights,
        moved={name: moved(array, rng) for name, array in weights.items()},
        batches=batches,
        cotangent=single(rng.standard_normal((len(batches[0].labels), classes))),
        learning_rates=_rates(recipe.optimizer.learning_rate, STEPS),
        update_parameters=_normal(rng, 1.0),
        update_gradients=[{**_normal(rng, size), "unused": np.zeros(UPDATE_SHAPES["unused"])} for size in MAGNITUDES],
        update_rates=_rates(recipe.optimizer.learning_rate, len(MAGNITUDES)),
        stream=stream,
        positions=[(epoch, step) for epoch in (0, 1) for step in range(min(2, stream.steps_per_epoch or 2))],
        seeds=_seeds(shapes, seed),
        devices=devices,
    )


def _given(weights: Mapping[str, NDArray], shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    require_bijection(weights, shapes)
    return {name: single(weights[name]) for name in shapes}


def _dithered(batch: Batch, rng: Generator) -> Batch:
    """Images with half a grey level of noise: in flat regions all windows of a max-pool tie but for rounding, and which
    of them gets the gradient would then be decided by rounding too."""
    if batch.inputs.ndim != 4:
        return batch
    noise = rng.uniform(-0.5, 0.5, batch.inputs.shape) * [
        _grey_level(batch.inputs[..., c]) for c in range(batch.inputs.shape[-1])
    ]
    return Batch((batch.inputs + noise).astype(np.float32), batch.labels)


def _grey_level(channel: NDArray) -> float:
    """The smallest step between values of a channel; equal ones may differ by rounding."""
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
