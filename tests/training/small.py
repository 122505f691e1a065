"""Small training runs: three networks, three optimizers, epochs that do not divide; each twin made once."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import recipes
from parity.backends import TrainingState, Twin
from parity.data.images import ImageSet, Split
from parity.recipes import Optimizer, Recipe
from parity.training import Outcome, Plan, begin, checkpoint, make_plan, make_twin, resume
from parity.training.folder import CHECKPOINTS
from parity.training.journal import TIMES, Line
from parity.training.loop import Silent
from parity.training.run import Watcher
from tests.backends.small import joined

__all__ = ["joined"]

BACKENDS = ("jax", "torch", "numpy")
"""Words of `--backend`."""

_MOONS, _RNN, _VGG = (recipes.load(name) for name in ("moons", "rnn", "vgg"))
RECIPES: dict[str, Recipe] = {
    "points": replace(  # 3 steps an epoch: 300, 300 and 200 points
        _MOONS, batch_size=300, optimizer=Optimizer(kind="adam", learning_rate=0.02, weight_decay=0.1)
    ),
    "rnn": replace(
        _RNN,
        config={"hidden_size": 7},
        length=4,
        batch_size=13,
        optimizer=Optimizer(kind="rmsprop", learning_rate=0.02, clip_norm=0.5),
    ),
    "vgg": replace(  # 4 steps an epoch, the last of 3 images; augmented
        _VGG,
        config={"plan": (5, "M", 7), "image_size": 8},
        data="digits",
        batch_size=8,
        optimizer=Optimizer(kind="sgd", learning_rate=0.02, momentum=0.9),
    ),
}
STEPS = 17
PRECISIONS = {"jax": "float32", "torch": "float32", "numpy": "float64"}


def images(name: str, *, folder: str | None = None, download: bool = False) -> ImageSet:
    """In place of `load_images`: 27, 3 and 8 made images, 8×8."""
    rng = np.random.default_rng(7)
    splits = {
        split: Split(rng.integers(0, 256, (size, 8, 8, 3), dtype=np.uint8), rng.integers(0, 10, size))
        for split, size in {"train": 27, "validation": 3, "test": 8}.items()
    }
    return ImageSet(name, splits, num_classes=10)


class StoppedError(Exception):
    pass


class StopAt(Silent):
    """A watcher that ends the run as soon as it hears of a step."""

    def __init__(self, step: int) -> None:
        self._step = step

    def trained(self, line: Line) -> None:
        if line["step"] >= self._step:
            raise StoppedError


def plan(kind: str, precision: Any = "float64", **change: Any) -> Plan:
    """Looks at the run after steps 3, 5, 6, 7, 9, 10, …; keeps every third."""
    recipe = replace(RECIPES[kind], log_every=7)
    given = {"steps": STEPS, "evaluate_every": 5, "checkpoint_every": 3, "keep": 99, **change}
    return make_plan(recipe, precision=precision, seed=3, **given)


@cache
def twin(framework: str, kind: str, precision: str = "float64") -> Twin:
    """One for all runs, so that its programs are compiled once."""
    return make_twin(plan(kind, precision), framework)


def train(framework: str, plan: Plan, out: Path | None, watcher: Watcher | None = None) -> Outcome:
    kind = next(kind for kind, recipe in RECIPES.items() if recipe.name == plan.recipe.name)
    return begin(plan, twin(framework, kind, plan.precision), watcher or Silent(), out=out)


def go_on(
    framework: str,
    place: Path,
    out: Path | None,
    watcher: Watcher | None = None,
    *,
    change: Callable[[TrainingState], TrainingState] = lambda state: state,
    precision: Any = None,
    **more: Any,
) -> Outcome:
    """Resume a run or a checkpoint, or one that is changed first."""
    found = checkpoint.load(checkpoint.latest(place))
    found = replace(found, plan=replace(found.plan, precision=precision or found.plan.precision))
    kind = next(kind for kind, recipe in RECIPES.items() if recipe.name == found.plan.recipe.name)
    own = twin(framework, kind, found.plan.precision)
    return resume(replace(found, state=change(found.state)), own, watcher or Silent(), out=out, **more)


def at(run: Path, step: int) -> Path:
    return checkpoint.file_of(run / CHECKPOINTS, step)


def last(run: Path) -> TrainingState:
    return checkpoint.load(checkpoint.latest(run)).state


def numbers(state: TrainingState) -> dict[str, NDArray]:
    """All arrays of a state by name."""
    moments = {f"{moment} {name}": a for moment, arrays in state.moments.items() for name, a in arrays.items()}
    return {**state.weights, **moments}


def bits(state: TrainingState) -> dict[str, tuple[str, bytes]]:
    return {name: (array.dtype.str, array.tobytes()) for name, array in numbers(state).items()}


def timeless(lines: Any) -> list[Line]:
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines]


def copied(run: Path, to: Path) -> Path:
    shutil.copytree(run, to)
    return to


Whole = Callable[..., tuple[Path, Outcome]]
"""Framework, kind and precision → the folder of an uninterrupted run, not to be changed, and its outcome."""
