"""The training runs of the image networks, in the order in which they are trained: the most telling come first.

On the study's images, official or copied, as the study trains, but for the VGG: a processor would need days for several
seeds of its 50 epochs, so its seeds are trained for fewer, and two runs go on to the end from the first seed's
checkpoints, one of them in the other framework than it was begun in. On other images all are shorter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from parity import recipes
from parity.data.folder.source import KEPT
from parity.study.part import Setting
from parity.study.runs import Start
from parity.training import Plan, make_plan

BACKENDS = ("jax", "torch")
NAMES = ("mlp", "vgg")
STUDIED = "cifar10"
COPY = "cifar10-jpeg"
"""Name of an image folder that holds the study's images, compressed again as JPEG."""
LOOKS = {"mlp": 1, "vgg": 2}
"""Number of evaluations an epoch, on images that are not the study's."""
CHECKPOINTS = {"mlp": 1, "vgg": 3}
"""Number of checkpoints an epoch, on the study's images: an epoch of the VGG takes long."""
EVALUATED = {"mlp": ("validation", "test"), "vgg": ("test",)}
"""Splits that are evaluated after every epoch on the study's images: the figures show the first, and train minus
test."""
LONGER = 2
"""Factor by which a run that goes on is longer, where the scale gives steps and not epochs."""


@dataclass(frozen=True)
class Work:
    """A training run.

    Attributes:
        plan: what is trained.
        backend: the framework that trains it, "jax" or "torch".
        start: the run that it goes on from; None begins it.
    """

    plan: Plan
    backend: str
    start: Start | None = None


def is_studied(data: str) -> bool:
    """Whether these are the study's images, official or copied."""
    match = KEPT.fullmatch(data)
    return data == STUDIED or (match is not None and match[1] == COPY)


def works(setting: Setting, data: str) -> list[Work]:
    """All runs, in the order in which they are trained."""
    mlp = [Work(plan, b) for plan in _seeds(setting, "mlp", data) for b in BACKENDS]
    first, *others = _seeds(setting, "vgg", data)
    return [*mlp, *_vgg(setting, first), *(Work(plan, b) for plan in others for b in BACKENDS), *_all(setting, others)]


def _vgg(setting: Setting, plan: Plan) -> Iterator[Work]:
    """The runs of the first seed, with those that go on from them."""
    yield from (Work(plan, b) for b in reversed(BACKENDS))
    if (whole := longer(setting, plan)) is not None:
        yield Work(whole, "torch", Start(plan, "torch"))
        yield Work(whole, "torch", Start(plan, "jax"))


def _all(setting: Setting, others: list[Plan]) -> Iterator[Work]:
    """The runs that a GPU trains to their end as well: every other seed, in each framework."""
    if setting.runs.device == "gpu":
        for plan in others:
            if (whole := longer(setting, plan)) is not None:
                yield from (Work(whole, b, Start(plan, b)) for b in BACKENDS)


def longer(setting: Setting, plan: Plan) -> Plan | None:
    """The plan of the run that goes on from one of the VGG; None where none does."""
    if setting.scale.image_steps is not None:
        return replace(plan, steps=LONGER * plan.steps)
    if not is_studied(plan.data):
        return None
    return replace(plan, steps=(recipes.load("vgg").epochs or 0) * (plan.steps_per_epoch or 0))


def epochs_of(setting: Setting, name: str, data: str) -> int | None:
    """Number of epochs of the runs over seeds; None where the scale gives steps."""
    scale = setting.scale
    if scale.image_steps is not None:
        return None
    if is_studied(data):
        return scale.studied_epochs[name]
    return recipes.load(name).epochs if setting.runs.device == "gpu" else scale.image_epochs[name]


def _seeds(setting: Setting, name: str, data: str) -> list[Plan]:
    """One plan for each seed, which differ in nothing else; the images are read once."""
    recipe, studied, scale = recipes.load(name), is_studied(data) or data.startswith("folder"), setting.scale
    if studied:
        recipe = replace(recipe, evaluate_on=EVALUATED[name])
    plan = make_plan(
        recipe,
        data=data,
        steps=scale.image_steps,
        epochs=epochs_of(setting, name, data),
        folder=setting.runs.data_dir,
    )
    epoch = max(1, min(plan.steps, plan.steps_per_epoch or 1))
    every = epoch if studied else max(1, epoch // LOOKS[name])
    kept = max(1, epoch // CHECKPOINTS[name]) if studied else every
    count = scale.gpu_seeds if studied and setting.runs.device == "gpu" else scale.image_seeds[name]
    return [replace(plan, seed=seed, evaluate_every=every, checkpoint_every=kept) for seed in range(count)]
