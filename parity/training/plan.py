"""The plan of a training run, which decides all of it before the first step."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from parity.backends import Precision
from parity.data import Stream, open_stream
from parity.documents import EXACT, Count, Whole
from parity.errors import UsageError
from parity.recipes import Optimizer, Recipe

CHUNK = 32  # largest number of steps that are handed to the framework at once
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Plan:
    """A training run without the framework that runs it. Its metrics follow from the plan, but for rounding and times.

    Args:
        recipe: network, optimizer, batch size, and what is evaluated.
        data: name of the data set.
        seed: seed of the initial weights, of the order of the data and of all other draws.
        precision: "float32" or "float64".
        steps: number of steps of the whole run.
        steps_per_epoch: number of steps in an epoch; None if the data have no end.
        log_every, evaluate_every, checkpoint_every: cadences in steps, counted from the first of the run.
        keep: number of checkpoints that stay.
        norm_parts: number of parts of a batch whose BatchNorm statistics are apart, see `parity.backends.Devices`. It
            changes the training; the number of devices changes rounding only, and is no part of the plan.
    """

    recipe: Recipe
    data: str
    seed: Whole
    precision: Precision
    steps: Count
    steps_per_epoch: Count | None
    log_every: Count
    evaluate_every: Count
    checkpoint_every: Count
    keep: Count
    norm_parts: Count = 1
    __pydantic_config__ = EXACT

    def position(self, step: int) -> tuple[int, int]:
        """The epoch of a step of the run, and the step within the epoch, both counted from 0."""
        return divmod(step, self.steps_per_epoch) if self.steps_per_epoch else (0, step)

    def next_stop(self, step: int) -> int:
        """The next step after which something is logged, evaluated or kept, or the last."""
        every = (self.log_every, self.evaluate_every, self.checkpoint_every)
        return min(self.steps, *((step // cadence + 1) * cadence for cadence in every))

    def due(self, step: int, cadence: int) -> bool:
        """Whether an action that is done at a cadence, and at the end, is due after `step` steps."""
        return step == self.steps or step % cadence == 0

    def chunks(self, first: int) -> Iterator[range]:
        """Ranges of at most CHUNK steps, from step `first` on, that end wherever something is due."""
        while first < self.steps:
            last = min(self.next_stop(first), first + CHUNK)
            yield range(first, last)
            first = last

    def to_json(self) -> dict[str, Any]:
        """The plan as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Plan":
        """The plan that `to_json` gave, before or after a passage through JSON; what is read back is checked before."""
        recipe = {key: _hashable(value) for key, value in document["recipe"].items()}
        optimizer = Optimizer(**{key: _hashable(value) for key, value in recipe.pop("optimizer").items()})
        return cls(**{**document, "recipe": Recipe(**recipe, optimizer=optimizer)})


def make_plan(
    recipe: Recipe,
    *,
    data: str | None = None,
    seed: int = 0,
    precision: Precision = "float32",
    steps: int | None = None,
    epochs: int | None = None,
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    keep: int = 3,
    norm_parts: int = 1,
    folder: str | None = None,
    download: bool = False,
) -> Plan:
    """Make the plan of a run.

    Args:
        recipe, seed, precision, keep, norm_parts: the fields of `Plan`.
        data: name of the data set; None takes the recipe's.
        steps, epochs: length of the run in steps or in epochs; if both are None, the recipe's.
        evaluate_every: steps between evaluations; None takes the recipe's, else an epoch.
        checkpoint_every: steps between checkpoints; None makes one at every evaluation.
        folder: folder of the images' files.
        download: whether the images may be fetched.

    Raises:
        UsageError: both steps and epochs are given, epochs are given for data without end, or the data are not there.
    """
    stream = open_training(recipe, data or recipe.data, seed, folder=folder, download=download)
    total = _total(recipe, steps, epochs, stream.steps_per_epoch)
    evaluate_every = evaluate_every or recipe.evaluate_every or stream.steps_per_epoch or total
    return Plan(
        recipe=recipe,
        data=stream.name,
        seed=seed,
        precision=precision,
        steps=total,
        steps_per_epoch=stream.steps_per_epoch,
        log_every=recipe.log_every,
        evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every or evaluate_every,
        keep=keep,
        norm_parts=norm_parts,
    )


def open_training(recipe: Recipe, data: str, seed: int, *, folder: str | None = None, download: bool = False) -> Stream:
    """The batches that a run trains on; arguments and errors as of `make_plan`."""
    return open_stream(
        data,
        split="train",
        batch_size=recipe.batch_size,
        seed=seed,
        length=recipe.length,
        encoding=recipe.encoding,
        folder=folder,
        download=download,
        augment=recipe.augment,
        classes=recipe.classes,
    )


def open_evaluation(plan: Plan, split: str, *, folder: str | None = None) -> Stream:
    """The batches that a run is evaluated on."""
    recipe = plan.recipe
    return open_stream(
        plan.data,
        split=split,
        batch_size=EVALUATION_BATCH,
        seed=plan.seed,
        length=recipe.length,
        encoding=recipe.encoding,
        folder=folder,
        augment=False,
    )


def _total(recipe: Recipe, steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if steps is not None and epochs is not None:
        raise UsageError(f"got both {steps} steps and {epochs} epochs; give one of them")
    if steps is None and epochs is None:
        steps, epochs = recipe.steps, recipe.epochs
    if steps is None and steps_per_epoch is None:
        raise UsageError(f"{recipe.data} have no end, so {epochs} epochs mean nothing; give steps")
    total = steps if steps is not None else (epochs or 0) * (steps_per_epoch or 0)
    if total < 1:
        raise UsageError(f"got {total} training steps; give at least 1")
    return total


def _hashable(value: Any) -> Any:
    """The value with tuples where JSON has lists, as recipes are written."""
    if isinstance(value, dict):
        return {key: _hashable(inner) for key, inner in value.items()}
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
