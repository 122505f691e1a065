"""Recipes that are checked side by side in processes give what they give one after the other."""

import os
import pickle

import pytest

from parity import recipes
from parity.errors import UsageError
from parity.report.listener import Listener
from parity.twins.side_by_side import THREADS, _jobs, _threads, check_side_by_side

SMALL = [recipes.load(name).at_check_size for name in ("moons", "rnn", "circles")]


def test_reports_come_in_order_and_are_the_same_in_processes() -> None:
    heard: list[str] = []
    options = {"rungs": (1,), "seed": 3}
    apart = check_side_by_side(SMALL, options, Listener(note=heard.append), 2)
    together = check_side_by_side(SMALL, options, Listener(), 1)
    assert [report.name for report in apart] == ["moons", "rnn", "circles"]
    for first, second in zip(apart, together, strict=True):
        assert first.verdict == second.verdict
        assert [len(rung.findings) for rung in first.rungs] == [len(rung.findings) for rung in second.rungs]
    assert sorted(heard) == ["circles: structure", "moons: structure", "rnn: structure"]


def test_a_usage_error_of_a_process_reaches_the_caller() -> None:
    assert str(pickle.loads(pickle.dumps(UsageError("got 0 networks")))) == "got 0 networks"


def test_recipes_of_one_network_share_a_process_and_the_largest_begin() -> None:
    every = [recipes.load(name) for name in ("moons", "rnn", "vgg", "circles")]
    assert [[recipe.name for recipe in job] for job in _jobs(every)] == [["vgg"], ["rnn"], ["moons", "circles"]]


def test_threads_that_are_set_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREADS[1:]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(THREADS[0], "7")
    with _threads(2):
        assert [os.environ[name] for name in THREADS] == ["7", "2", "2"]
    assert THREADS[1] not in os.environ
