"""Runs of the study are kept, reused, gone on with, and never lost."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from parity import recipes
from parity.study.runs import Runs, curve, name_of, training_curve
from parity.training import Plan, make_plan
from parity.training.folder import SUMMARY

RECIPE = recipes.load("moons")


@pytest.fixture
def plan() -> Plan:
    return make_plan(RECIPE, steps=120, checkpoint_every=50)


def test_a_run_is_trained_once(tmp_path: Path, plan: Plan) -> None:
    said: list[str] = []
    runs = Runs(tmp_path, note=said.append)
    first, again = runs.train(plan, "numpy"), runs.train(plan, "numpy")
    assert said == [name_of(plan, "numpy")]
    assert [*first.lines] == [*again.lines] and json.loads(json.dumps(first.summary)) == again.summary
    assert Runs(tmp_path, note=said.append).train(plan, "numpy").summary == again.summary
    assert len(said) == 1


def test_words_about_a_recipe_do_not_make_another_run(tmp_path: Path, plan: Plan) -> None:
    runs = Runs(tmp_path)
    runs.train(plan, "numpy")
    assert runs.kept(replace(plan, recipe=replace(plan.recipe, claim="in other words")), "numpy") is not None
    slower = replace(plan.recipe, optimizer=replace(plan.recipe.optimizer, learning_rate=0.001))
    assert runs.kept(replace(plan, recipe=slower), "numpy") is None


def test_a_run_that_was_stopped_goes_on_and_another_one_is_put_aside(tmp_path: Path, plan: Plan) -> None:
    runs = Runs(tmp_path)
    whole = runs.train(plan, "numpy")
    place = tmp_path / name_of(plan, "numpy")
    (place / SUMMARY).unlink()
    again = runs.train(plan, "numpy")
    assert again.summary["test"] == whole.summary["test"]
    assert again.summary["resumed_at"] > 0
    document = json.loads((place / SUMMARY).read_text())
    document["plan"]["log_every"] = 7
    (place / SUMMARY).write_text(json.dumps(document))
    for file in (place / "checkpoints").iterdir():
        file.unlink()
    assert runs.train(plan, "numpy").summary["resumed_at"] == 0
    assert json.loads((tmp_path / f"{place.name}.old0" / SUMMARY).read_text())["plan"]["log_every"] == 7


def test_curves_are_means_over_seeds(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    done = [runs.train(make_plan(RECIPE, steps=150, seed=seed), "numpy") for seed in (0, 1)]
    found = curve(done, "test")
    assert found["step"] == [50, 100, 150]
    finals = [outcome.summary["test"]["accuracy"] for outcome in done]
    assert found["final"] == finals and found["mean"][-1] == pytest.approx(sum(finals) / 2)
    assert training_curve(done, "loss", 50)["step"] == [50, 100, 150]


def test_weights_are_those_at_the_end(tmp_path: Path, plan: Plan) -> None:
    runs = Runs(tmp_path)
    runs.train(plan, "numpy")
    assert runs.weights(plan, "numpy").keys() == runs.twin(plan, "numpy").shapes().keys()
