"""`parity check` and `parity list`, as a person runs them."""

import json
from pathlib import Path

import pytest

from parity import recipes, weights
from parity.checks.verdict import Verdict
from parity.interface import random as initial
from parity.reference import MLP
from parity.twins.check import check


def test_list_names_every_network(parity) -> None:
    found = parity("list")
    assert found.returncode == 0
    for name in recipes.names():
        assert f"{name} " in found.stdout
        assert f"{recipes.load(name).parameters:,}" in found.stdout


def test_a_check_ends_with_its_answer_and_writes_all_of_it(parity, tmp_path: Path) -> None:
    found = parity("check", "moons", "--seed", "3", "--json", str(tmp_path / "result.json"))
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-2].startswith("SAME: moons")
    assert "moons: gradients" in found.stderr
    document = json.loads((tmp_path / "result.json").read_text())
    assert document["exit_code"] == 0
    (result,) = document["results"]
    assert [rung["verdict"] for rung in result["rungs"]] == ["same"] * 8
    assert all(rung["findings"] for rung in result["rungs"])


def test_chosen_rungs_are_not_sold_as_the_whole_ladder(parity) -> None:
    found = parity("check", "moons", "--rungs", "update")
    assert found.returncode == 0
    assert "as far as rungs 1, 5 tell" in found.stdout


def test_trained_weights_can_be_checked(parity, tmp_path: Path) -> None:
    weights.save(initial.draw(MLP(sizes=(2, 20, 2)).shapes(), "default", 1), tmp_path / "w.safetensors")
    found = parity("check", "circles", "--weights", str(tmp_path / "w.safetensors"), "--rungs", "2-3")
    assert found.returncode == 0, found.stdout


@pytest.mark.slow
def test_correct_twins_are_the_same_for_other_seeds_lengths_and_sizes() -> None:
    from dataclasses import replace

    from parity.bugs.pairs import PAIRS

    for seed in range(1, 4):
        assert check(PAIRS["points"], seed=seed).verdict is Verdict.SAME
    assert check(PAIRS["points, randn"], rungs=(7,)).verdict is Verdict.SAME
    for length in (2, 9):
        assert check(replace(PAIRS["rnn"], length=length), rungs=(2, 3, 6)).verdict is Verdict.SAME
    odd = replace(PAIRS["vgg"], config={"plan": (3, "M", "M", 5), "num_classes": 11}, parameters=None)
    assert check(odd, rungs=(2, 3, 4), seed=5).verdict is Verdict.SAME
