"""A run begun in one framework and resumed in another follows the trajectory that it would have had in the first."""

import json
from dataclasses import replace
from functools import partial
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.backends import TrainingState
from parity.checks.referee import rule_drift
from parity.training import checkpoint
from parity.training.folder import SUMMARY
from tests.training.small import BACKENDS, RECIPES, STEPS, at, go_on, joined, last, numbers, plan, train, twin

SWITCH = 6
PAIRS = list(permutations(BACKENDS, 2))


def moved(state: TrainingState) -> TrainingState:
    rng = np.random.default_rng(4)
    return replace(state, weights={name: _moved(rng, array) for name, array in state.weights.items()})


def _moved(rng: np.random.Generator, array: NDArray) -> NDArray:
    return np.nextafter(array, np.where(rng.random(array.shape) < 0.5, -9.0, 9.0))


def verdict(kind: str, whole, first: str, then: str, out, change=lambda state: state) -> str:
    """The referee's, on weights, buffers and moments at the end."""
    run, outcome = whole(first, kind)
    drifted = go_on(first, at(run, 0), out / "moved", change=moved)
    resumed = go_on(then, at(run, SWITCH), out / "resumed", change=change)
    ends = [joined(numbers(last(place))) for place in (run, out / "resumed", out / "moved")]
    losses = [_losses(each) for each in (outcome, resumed, drifted)]
    found = [
        rule_drift("run", what, {first: ours, then: theirs}, {first: own}).verdict
        for what, (ours, theirs, own) in {"state": ends, "losses": losses}.items()
    ]
    assert [line["step"] for line in resumed.lines] == [line["step"] for line in outcome.lines]
    return " ".join(map(str, found))


def _losses(outcome) -> NDArray:
    return np.array([line["loss"] for line in outcome.lines])


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize(("first", "then"), PAIRS)
def test_a_run_resumed_in_another_framework_follows_the_same_trajectory(kind, first, then, whole, tmp_path) -> None:
    assert verdict(kind, whole, first, then, tmp_path) == "same same"


def _zero(moment: str, state: TrainingState) -> TrainingState:
    cleared = {name: np.zeros_like(array) for name, array in state.moments[moment].items()}
    return replace(state, moments={**state.moments, moment: cleared})


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize(("first", "then"), [("jax", "torch"), ("torch", "numpy"), ("numpy", "jax")])
def test_a_moment_that_is_lost_on_the_way_is_noticed(kind, first, then, whole, tmp_path) -> None:
    for moment in RECIPES[kind].optimizer.moments:
        found = verdict(kind, whole, first, then, tmp_path / moment, partial(_zero, moment))
        assert found == "different different", moment


@pytest.mark.parametrize("then", BACKENDS)
def test_a_count_of_steps_that_is_off_by_one_is_noticed(then, whole, tmp_path, monkeypatch) -> None:
    cls = type(twin(then, "points").session(RECIPES["points"].optimizer))
    right = cls._load
    monkeypatch.setattr(cls, "_load", lambda self, state: right(self, replace(state, step=state.step + 1)))
    assert verdict("points", whole, "numpy" if then != "numpy" else "jax", then, tmp_path) == "different different"


def test_files_say_the_word_of_the_command(whole) -> None:
    for backend in BACKENDS:
        run, _ = whole(backend, "points")
        assert checkpoint.load(at(run, STEPS)).backend == backend
        assert json.loads((run / SUMMARY).read_text())["backend"] == backend


def test_a_run_may_change_its_framework_more_than_once(whole, tmp_path) -> None:
    run, _ = whole("jax", "points")
    go_on("torch", at(run, SWITCH), tmp_path / "there", steps=9)
    go_on("numpy", tmp_path / "there", tmp_path / "on", steps=12)
    go_on("jax", tmp_path / "on", tmp_path / "back", steps=STEPS)
    go_on("jax", at(run, 0), tmp_path / "moved", change=moved)
    values = {"jax": joined(numbers(last(run))), "all": joined(numbers(last(tmp_path / "back")))}
    found = rule_drift("run", "state", values, {"jax": joined(numbers(last(tmp_path / "moved")))})
    assert str(found.verdict) == "same"


def test_a_float32_run_goes_on_in_the_float64_reference(tmp_path) -> None:
    train("torch", plan("points", "float32"), tmp_path / "run")
    found = go_on("numpy", at(tmp_path / "run", SWITCH), tmp_path / "reference", precision="float64")
    assert found.summary["precision"] == "float64"
    assert all(array.dtype == np.float64 for array in numbers(last(tmp_path / "reference")).values())
