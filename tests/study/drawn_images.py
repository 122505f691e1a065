"""Metrics of image runs as long as the study's, drawn and not trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity import recipes
from parity.study.images.results import Done, whole_epochs
from parity.study.images.runs import EVALUATED, Work
from parity.study.runs import Start
from parity.training.plan import Plan

DATA = "folder:cifar10-jpeg:00000000"
PER_EPOCH = {"mlp": 352, "vgg": 1407}
AS_CLAIMED: Mapping[str, Mapping[str, tuple[float, float, float, float]]] = {
    "mlp": {
        "training": (0.40, 0.9221, 1.67, 0.229),
        "validation": (0.46, 0.51, 1.55, 3.29),
        "test": (0.46, 0.5224, 1.55, 3.2736),
    },
    "vgg": {"training": (0.55, 0.95, 1.25, 0.09), "test": (0.6, 0.885, 1.1, 0.45)},
}
"""Network → split → accuracy after the first epoch and at the end, loss the same."""


def plan(name: str, seed: int, epochs: int, data: str = DATA) -> Plan:
    """Of a run of the study."""
    recipe, steps = replace(recipes.load(name), evaluate_on=EVALUATED[name]), PER_EPOCH[name]
    return Plan(recipe, data, seed, "float32", epochs * steps, steps, 10, steps, steps, 3)


def work(name: str, backend: str, seed: int, epochs: int, start: str | None = None, data: str = DATA) -> Work:
    """A run; one that goes on goes on from epoch 10."""
    begun = Start(plan(name, seed, 10, data), start) if start else None
    return Work(plan(name, seed, epochs, data), backend, begun)


def done(of: Work, epochs: int, like: Mapping[str, Any] = AS_CLAIMED, noise: float = 0.002) -> Done:
    """A run with metrics of so many epochs: half of what is to be gained is gained in each sixth of the study's."""
    rng = np.random.default_rng([of.plan.seed, len(of.backend), of.start is not None])
    name = of.plan.recipe.name
    whole, lines = recipes.load(name).epochs or 1, list[dict[str, Any]]()
    for epoch in range(1, epochs + 1):
        step = epoch * PER_EPOCH[name]
        for split in ("training", *of.plan.recipe.evaluate_on):
            first, last, loss, end = like[name][split]
            share = (1 - 2.0 ** (-6 * (epoch - 1) / whole)) / (1 - 2.0 ** (-6 * (whole - 1) / whole))
            values = {"accuracy": first + share * (last - first), "loss": loss + share * (end - loss)}
            values = {key: float(value + noise * rng.standard_normal()) for key, value in values.items()}
            line = {"step": step, "epoch": float(epoch), "samples": 10_000, **values}
            lines.append(
                {**line, **({"kind": "train"} if split == "training" else {"kind": "evaluation", "split": split})}
            )
    return whole_epochs(of, lines)


def study(mlp: int = 100, vgg: int = 50, like: Mapping[str, Any] = AS_CLAIMED, data: str = DATA) -> Sequence[Done]:
    """All runs of the study on a processor, trained to those epochs at most."""
    found = [done(work("mlp", b, s, 100, data=data), mlp, like) for s in range(5) for b in ("jax", "torch")]
    found += [done(work("vgg", b, s, 10, data=data), min(vgg, 10), like) for s in range(3) for b in ("torch", "jax")]
    return [
        *found,
        *(done(work("vgg", "torch", 0, 50, b, data), vgg if vgg > 10 else 0, like) for b in ("torch", "jax")),
    ]
