"""Every contestant trains the function of the plain eager twin."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.contestants import ENTRIES, Entry
from benchmarks.speed import worker
from parity.checks.ladder import trajectory
from parity.checks.verdict import Rung, Verdict
from parity.interface.trace import Trajectory
from parity.recipes import Optimizer
from tests.benchmarks.contestants.small import STEPS, WORKLOADS, fitting, reference

QUICK = "--xla_backend_optimization_level=0"
"""Compile fast rather than well; steps are few."""
PAIRS = [
    pytest.param(entry, key, marks=[pytest.mark.slow] if entry.name == "keras-jax" else [])  # its programs compile long
    for entry in ENTRIES.values()
    for key in fitting(entry)
    if (entry.name, key) != ("torchax", "vgg")  # see below
]


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Contestants that share an environment share a process, which is started when the first of them is asked for."""

    @cache
    def proven(environment: tuple[tuple[str, str], ...]) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("proofs")
        names = [entry.name for entry in ENTRIES.values() if entry.environment == environment]
        command = [sys.executable, "-W", "error", "-m", "tests.benchmarks.contestants.prove", str(folder), *names]
        variables = {**os.environ, "XLA_FLAGS": QUICK, **dict(environment)}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        return folder, done.stderr if done.returncode else ""

    return proven


def ruled(proven: tuple[Path, str], name: str, key: str, spec: Optimizer) -> Rung:
    """The gate's rung; the noise is the reference's own drift."""
    folder, failure = proven
    assert not failure, failure
    workload = WORKLOADS[key]
    case, found = workload.case(), dict(np.load(folder / f"{name}-{key}.npz"))
    steps = max(STEPS, int(found.pop("steps")))
    own, moved = (reference(workload, steps, weights, case.batches, spec) for weights in (case.weights, case.moved))
    run = Trajectory(found.pop("loss"), found)
    assert run.weights.keys() == own.weights.keys()
    return trajectory({"reference": own, name: run}, {"reference": moved})


@pytest.mark.parametrize(("entry", "key"), PAIRS, ids=lambda part: getattr(part, "name", part))
def test_a_contestant_trains_the_twins_function(proofs: Any, entry: Entry, key: str) -> None:
    if absent := entry.absent(WORKLOADS[key], "cpu"):
        pytest.skip(absent)
    rung = ruled(proofs(entry.environment), entry.name, key, WORKLOADS[key].recipe.optimizer)
    assert rung.verdict is Verdict.SAME, [finding for finding in rung.findings if finding.verdict is not Verdict.SAME]


def test_torchax_forgets_batch_norms_running_statistics(proofs: Any) -> None:
    """Its gradients of them are right; so the gate names the first that it did not update."""
    rung = ruled(proofs(()), "torchax", "vgg", WORKLOADS["vgg"].recipe.optimizer)
    wrong = {finding.name.rpartition(".")[2] for finding in rung.findings if finding.verdict is Verdict.DIFFERENT}
    assert wrong == {"running_mean", "running_var"}
    assert rung.layer == "features.0.norm.running_mean"


def test_another_epsilon_is_another_function(proofs: Any) -> None:
    spec = replace(WORKLOADS["vgg"].recipe.optimizer, eps=1e-7)  # Keras's
    assert ruled(proofs(()), "torch-default", "vgg", spec).verdict is Verdict.DIFFERENT


def test_a_block_lasts_as_long_as_the_contestant_asks() -> None:
    class Slow:
        block_seconds = 0.5
        programs = staticmethod(lambda: 0)

    job = worker.Job("slow", "points", "float32", "cpu", "time", "", blocks=1, seconds=0.0)
    found = worker.steady(Slow(), lambda steps: time.sleep(0.001 * steps), job, 1)  # type: ignore[arg-type] # all it needs
    assert found["steps"] > 1
