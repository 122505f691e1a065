"""Part I, task 3, and part II: the MLP and the VGG on images."""

from dataclasses import replace
from typing import Any

import numpy as np

from parity.checks.outcome import outcome
from parity.checks.verdict import Rung
from parity.data import load_images
from parity.errors import UsageError
from parity.study.images import claims as image_claims
from parity.study.images.results import Done, results_of, whole_epochs
from parity.study.images.runs import STUDIED, Work, works
from parity.study.part import Part, Setting
from parity.training import Plan

STAND_INS = (STUDIED, "fashion-mnist", "digits")


def available(setting: Setting) -> str:
    """The set of images to train on: the one asked for, else the study's, else what stands in for it."""
    asked = setting.data or setting.scale.image_data
    for name in (asked,) if asked else STAND_INS:
        try:
            return load_images(name, folder=setting.runs.data_dir).name
        except UsageError:
            if asked:
                raise
    raise AssertionError("the digits are always there")


def plans(setting: Setting) -> list[tuple[Plan, str]]:
    """What is still to be trained of all runs of the experiment, as runs of so many steps."""
    left = []
    for work in works(setting, available(setting)):
        steps = work.plan.steps - setting.runs.steps(work.plan, work.backend, work.start)
        if steps > 0:
            left.append((replace(work.plan, steps=steps), work.backend))
    return left


def run(setting: Setting) -> Part:
    """Train both networks in both frameworks from equal weights, over seeds; or judge what is trained of them so far.

    Raises:
        UsageError: nothing is to be trained, and no run has come to the end of its first epoch yet.
    """
    data = available(setting)
    runs = [_done(setting, work) for work in works(setting, data)]
    if not any(done.steps for done in runs):
        raise UsageError(f"{setting.runs.folder} holds no epoch of a run on {data}; leave out --so-far to train them")
    results = results_of(data, runs)
    return Part(results, list(image_claims.judged(results)), [_outcome(name, results) for name in results["final"]])


def _done(setting: Setting, work: Work) -> Done:
    runs = setting.runs
    if setting.train:
        return whole_epochs(work, runs.train(work.plan, work.backend, work.start).lines)
    return whole_epochs(work, runs.lines(work.plan, work.backend, work.start))


def _outcome(name: str, results: dict[str, Any]) -> Rung:
    final = results["final"][name]
    accuracies = {b: np.array(ends["test"]["accuracy"]) for b, ends in final.items() if "test" in ends}
    alike = len({ends["epochs"] for ends in final.values()}) == 1
    samples = max((ends["test_samples"] for ends in final.values()), default=0)
    return outcome(f"{name} on {results['data']}", accuracies if alike else {}, samples)
