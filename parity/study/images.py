"""Part I, task 3, and part II: the MLP and the VGG on images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity import recipes
from parity.checks.claims import Judged, about, holds, near, spread, unmeasured
from parity.checks.outcome import outcome
from parity.checks.verdict import Rung
from parity.data import load_images
from parity.errors import UsageError
from parity.study.image_runs import BACKENDS, NAMES, STUDIED, works
from parity.study.part import Part, Setting
from parity.study.runs import curve, training_curve
from parity.training import Outcome, Plan

STAND_INS = (STUDIED, "fashion-mnist", "digits")
WATCHED = {"mlp": "validation", "vgg": "test"}


@dataclass(frozen=True)
class Claim:
    """A number of the study: the value at the end of training."""

    recipe: str
    text: str
    split: str
    key: str
    target: float


CLAIMS = (
    Claim("mlp", "train accuracy 92.21 % at the end", "training", "accuracy", 0.9221),
    Claim("mlp", "train loss 0.229 at the end (from 1.67)", "training", "loss", 0.229),
    Claim("mlp", "validation accuracy about 50 % throughout", "validation", "accuracy", 0.50),
    Claim("mlp", "validation loss 3.29 at the end (from 1.55)", "validation", "loss", 3.29),
    Claim("mlp", "test accuracy 52.24 %", "test", "accuracy", 0.5224),
    Claim("mlp", "test loss 3.2736", "test", "loss", 3.2736),
    Claim("vgg", "train accuracy about 95 % at epoch 50", "training", "accuracy", 0.95),
    Claim("vgg", "test accuracy 88–89 %", "test", "accuracy", 0.885),
    Claim("vgg", "train loss below 0.1 (from above 1.2)", "training", "loss", 0.1),
    Claim("vgg", "test loss settles at 0.4–0.5", "test", "loss", 0.45),
)
COURSES = {
    "mlp": "train accuracy from 40 % to 90 % by epoch 65",
    "vgg": "gains are marginal after 20–30 epochs",
}
"""Claims on the course of training, which the figures show where the study's data and epochs were trained."""
CONTRAST = "the CNN's gap between train and test is far smaller than the MLP's"


def available(setting: Setting) -> str:
    """The name of the images to train on: the requested set, else the study's, else one that stands in for it."""
    requested = setting.data or setting.scale.image_data
    for name in (requested,) if requested else STAND_INS:
        try:
            return load_images(name, folder=setting.runs.data_dir).name
        except UsageError:
            if requested:
                raise
    raise AssertionError("the digits are always there")


def plans(setting: Setting) -> list[tuple[Plan, str]]:
    """All training runs of the experiment, each with its backend."""
    return [(work.plan, work.backend) for work in works(setting, available(setting))]


def run(setting: Setting) -> Part:
    """Train both networks in both frameworks from equal weights, over seeds."""
    data = available(setting)
    trained = [(work, setting.runs.train(work.plan, work.backend, work.start)) for work in works(setting, data)]
    done = {
        name: {
            b: [o for w, o in trained if (w.plan.recipe.name, w.backend, w.start) == (name, b, None)] for b in BACKENDS
        }
        for name in NAMES
    }
    steps_per_epoch = {name: done[name]["jax"][0].summary["plan"]["steps_per_epoch"] for name in NAMES}
    results = {
        "data": data,
        "steps_per_epoch": steps_per_epoch,
        "steps": {name: done[name]["jax"][0].summary["steps"] for name in NAMES},
        "curves": {name: {b: _curves(name, outcomes) for b, outcomes in by.items()} for name, by in done.items()},
        "final": {name: {b: _finals(outcomes) for b, outcomes in by.items()} for name, by in done.items()},
    }
    return Part(results, list(_claims(results)), [_outcome(name, done[name], data) for name in NAMES])


def _curves(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    every = outcomes[0].summary["plan"]["evaluate_every"]
    split = WATCHED[name]
    return {
        key: {"training": training_curve(outcomes, key, every), split: curve(outcomes, split, key)}
        for key in ("accuracy", "loss")
    }


def _finals(outcomes: list[Outcome]) -> dict[str, dict[str, list[float]]]:
    return {
        split: {key: [outcome.summary[split][key] for outcome in outcomes] for key in ("accuracy", "loss")}
        for split in ("training", "validation", "test")
    }


def _outcome(name: str, done: dict[str, list[Outcome]], data: str) -> Rung:
    accuracies = {b: np.array([o.summary["test"]["accuracy"] for o in outcomes]) for b, outcomes in done.items()}
    return outcome(f"{name} on {data}", accuracies, done["jax"][0].summary["test"]["samples"])


def _claims(results: dict[str, Any]) -> Iterator[Judged]:
    epochs = {name: results["steps"][name] / results["steps_per_epoch"][name] for name in NAMES}
    for claim in CLAIMS:
        values = [v for finals in results["final"][claim.recipe].values() for v in finals[claim.split][claim.key]]
        as_studied = results["data"] == STUDIED and epochs[claim.recipe] >= (recipes.load(claim.recipe).epochs or 0)
        if as_studied:
            yield (about if claim.key == "accuracy" else near)(
                "images", f"{claim.recipe}: {claim.text}", claim.target, values
            )
        else:
            measured = spread(values) if claim.key == "accuracy" else f"{np.mean(values):.3f}"
            where = f"{results['data']}, {epochs[claim.recipe]:.3g} epochs: {claim.split} {claim.key} {measured}"
            yield unmeasured("images", f"{claim.recipe}: {claim.text}", _missing(results["data"]), where)
    for name, text in COURSES.items():
        yield unmeasured("images", f"{name}: {text}", _missing(results["data"]), _course(name, results))
    yield _contrast(results, epochs)
    for name in NAMES:
        yield _agreement(name, results)


def _agreement(name: str, results: dict[str, Any]) -> Judged:
    """Whether the curves of the frameworks differ by no more than seeds do, on average over the evaluations."""
    claim = f"ours, not the study's: {name} has one curve in JAX and PyTorch, within the noise of the seeds"
    a, b = (results["curves"][name][backend]["accuracy"] for backend in BACKENDS)
    gap = np.mean([np.abs(np.subtract(a[split]["mean"], b[split]["mean"])) for split in a])
    noise = np.mean([np.hypot(a[split]["std"], b[split]["std"]) / np.sqrt(2) for split in a])
    measured = f"mean accuracy curves {gap:.2%} apart, standard deviation over seeds {noise:.2%}"
    return holds(
        "images", claim, measured, bool(gap <= noise), f"{len(results['final'][name]['jax']['test']['loss'])} seeds"
    )


def _missing(data: str) -> str:
    if data == STUDIED:
        return "fewer epochs than the study's were trained"
    return "CIFAR-10 cannot be downloaded where this ran"


def _course(name: str, results: dict[str, Any]) -> str:
    """The first and last points of JAX's mean accuracy curves, in words."""
    curves = results["curves"][name]["jax"]["accuracy"].items()
    words = [f"{split} {statistics['mean'][0]:.1%} → {statistics['mean'][-1]:.1%}" for split, statistics in curves]
    return f"{results['data']}, first and last evaluation: {', '.join(words)}"


def _contrast(results: dict[str, Any], epochs: dict[str, float]) -> Judged:
    gaps = {}
    for name in NAMES:
        finals = results["final"][name].values()
        gaps[name] = float(np.mean([np.subtract(f["training"]["accuracy"], f["test"]["accuracy"]) for f in finals]))
    words = ", ".join(f"{name} {gap:+.1%} after {epochs[name]:.3g} epochs" for name, gap in gaps.items())
    measured = f"train minus test on {results['data']}: {words}"
    if results["data"] == STUDIED:
        return holds("images", CONTRAST, measured, gaps["vgg"] < gaps["mlp"] / 2)
    held = "it holds" if gaps["vgg"] < gaps["mlp"] / 2 else "it does not hold"
    return unmeasured("images", CONTRAST, f"{_missing(results['data'])}; on {results['data']} {held}", measured)
