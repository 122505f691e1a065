"""What came of the image runs: curves, ends and gaps, from the metrics of as many epochs as there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.data.image_sets import title
from parity.study.images.runs import BACKENDS, NAMES, Work, is_studied
from parity.study.runs import curve, over_seeds, training_curve
from parity.training import Outcome
from parity.training.journal import Line
from parity.training.run import last_training

WATCHED = {"mlp": "validation", "vgg": "test"}
"""What the study's figures show beside the training."""
KEYS = ("accuracy", "loss")


@dataclass(frozen=True)
class Done:
    """A run and its metrics, up to the last evaluation that is there.

    Attributes:
        work: the run.
        lines: its metrics; none where it has not come to its first evaluation.
    """

    work: Work
    lines: Sequence[Line]

    @property
    def steps(self) -> int:
        """How far it is."""
        return max((line["step"] for line in self.lines), default=0)

    @property
    def epochs(self) -> float:
        """The same in epochs."""
        return self.steps / (self.work.plan.steps_per_epoch or 1)

    @property
    def label(self) -> str:
        """Who trained it, as figures name it."""
        start = self.work.start
        return self.work.backend if start is None or start.backend == self.work.backend else crossed(self.work)


def crossed(work: Work) -> str:
    """The label of a run that was begun in one framework and ended in another."""
    return f"{work.start.backend} to {work.backend}" if work.start else work.backend


def whole_epochs(work: Work, lines: Sequence[Line]) -> Done:
    """A run with its metrics up to the last evaluation of all that it is evaluated on."""
    wanted = work.plan.recipe.evaluate_on
    steps = {line["step"] for line in lines if line.get("split") == wanted[-1]}
    return Done(work, [line for line in lines if steps and line["step"] <= max(steps)])


def results_of(data: str, done: Sequence[Done]) -> dict[str, Any]:
    """All that is kept of the runs, as JSON has it."""
    seeds = {name: {b: _furthest(done, name, b, begun=True) for b in BACKENDS} for name in NAMES}
    plans = {name: next(run.work.plan for run in done if run.work.plan.recipe.name == name) for name in NAMES}
    return {
        "data": title(data),
        "images": data,
        "studied": is_studied(data),
        "steps_per_epoch": {name: plan.steps_per_epoch for name, plan in plans.items()},
        "runs": [_about(run) for run in done],
        "curves": {name: {b: _curves(name, runs) for b, runs in by.items() if runs} for name, by in seeds.items()},
        "whole": _whole(done),
        "final": {name: {b: _finals(runs) for b, runs in by.items() if runs} for name, by in seeds.items()},
        "gaps": {name: _gaps(done, seeds, name) for name in NAMES},
    }


def _about(run: Done) -> dict[str, Any]:
    work = run.work
    planned = work.plan.steps / (work.plan.steps_per_epoch or 1)
    start = work.start and {"backend": work.start.backend, "step": work.start.plan.steps}
    about = {"recipe": work.plan.recipe.name, "label": run.label, "seed": work.plan.seed, "start": start}
    return {**about, "epochs": run.epochs, "planned": planned}


def _furthest(done: Sequence[Done], name: str, label: str, *, begun: bool) -> list[Done]:
    """The runs of a network by one label that are as far as the furthest: those that one mean can be taken over."""
    runs = [o for o in done if (o.work.plan.recipe.name, o.label, o.work.start is None) == (name, label, begun)]
    most = max((run.steps for run in runs), default=0)
    return [run for run in runs if run.steps == most > 0]


def _whole(done: Sequence[Done]) -> dict[str, dict[str, Any]]:
    """Network → label → curves and ends of the runs that go on from others."""
    labels = dict.fromkeys((o.work.plan.recipe.name, o.label) for o in done if o.work.start)
    whole: dict[str, dict[str, Any]] = {}
    for name, label in labels:
        if runs := _furthest(done, name, label, begun=False):
            start = runs[0].work.start
            crossing = start.plan.steps if start and start.backend != runs[0].work.backend else None
            kept = {"curves": _curves(name, runs), "final": _finals(runs), "crossed_at": crossing}
            whole.setdefault(name, {})[label] = kept
    return whole


def _outcomes(runs: Sequence[Done]) -> list[Outcome]:
    return [Outcome({}, run.lines) for run in runs]


def _curves(name: str, runs: Sequence[Done]) -> dict[str, Any]:
    outcomes, every = _outcomes(runs), runs[0].work.plan.evaluate_every
    split = WATCHED[name]
    return {key: {"training": training_curve(outcomes, key, every), split: curve(outcomes, split, key)} for key in KEYS}


def _finals(runs: Sequence[Done]) -> dict[str, Any]:
    """Split → loss and accuracy of each seed, of the last epoch that all of them have; and how far that is."""
    ends = [_end(run) for run in runs]
    splits = [split for split in ("training", "validation", "test") if all(end.get(split) for end in ends)]
    finals: dict[str, Any] = {split: {key: [end[split][key] for end in ends] for key in KEYS} for split in splits}
    samples = max((line["samples"] for line in runs[0].lines if line.get("split") == "test"), default=0)
    seeds = [run.work.plan.seed for run in runs]
    return {**finals, "epochs": runs[0].epochs, "seeds": seeds, "test_samples": samples}


def _end(run: Done) -> dict[str, Any]:
    """Split → its last line; of the training batches their mean over the last epoch."""
    last = {line["split"]: line for line in run.lines if line["kind"] == "evaluation"}
    return {"training": last_training(replace(run.work.plan, steps=run.steps), run.lines), **last}


def _gaps(done: Sequence[Done], seeds: dict[str, dict[str, list[Done]]], name: str) -> dict[str, Any]:
    """Label → training minus test accuracy against the step, where test was evaluated every epoch."""
    groups = {label: runs for label, runs in seeds[name].items() if runs}
    for label in dict.fromkeys(o.label for o in done if o.work.start and o.work.plan.recipe.name == name):
        if longer := _furthest(done, name, label, begun=False):
            groups[label] = longer
    return {label: gap for label, runs in groups.items() if (gap := _gap(runs)) is not None}


def _gap(runs: Sequence[Done]) -> dict[str, Any] | None:
    outcomes, every = _outcomes(runs), runs[0].work.plan.evaluate_every
    train = [training_curve([outcome], "accuracy", every) for outcome in outcomes]
    test = [curve([outcome], "test", "accuracy") for outcome in outcomes]
    if any(a["step"] != b["step"] for a, b in zip(train, test, strict=True)):
        return None
    values = np.array([np.subtract(a["mean"], b["mean"]) for a, b in zip(train, test, strict=True)])
    return over_seeds(values, test[0]["step"])
