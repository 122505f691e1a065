"""The options of `parity.compare` in their groups, and its former keywords."""

import warnings
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.errors import UsageError
from parity.pair.options import GROUP_OF, NEVER_ALONE, with_former

X = np.zeros((2, 3), np.float32)
FORMER: dict[str, Any] = {
    "optimizers": ("adam", "Adam"),
    "schedules": ("cosine", "Cosine"),
    "schedule_steps": 7,
    "loss": (len, len),
    "targets": np.ones(3),
    "accept": ["norm_eps"],
    "dropout": "shared",
    "probes": False,
}


def test_the_former_names_are_those_of_the_fields() -> None:
    assert FORMER.keys() == GROUP_OF.keys()
    named = {field.name for group in (parity.TrainingPair, parity.Checks) for field in fields(group)}
    assert named == {*FORMER, *NEVER_ALONE}


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_is_still_taken_and_says_what_to_write(name: str) -> None:
    group = {"training": "TrainingPair", "checks": "Checks"}[GROUP_OF[name]]
    with pytest.warns(DeprecationWarning) as told:
        options = with_former({name: FORMER[name]})
    assert [str(warning.message) for warning in told] == [
        f"{name}= is deprecated; write {GROUP_OF[name]}={group}({name}=…)"
    ]
    assert getattr(options[GROUP_OF[name]], name) is FORMER[name]


def test_what_is_written_in_groups_is_taken_without_a_warning() -> None:
    training, checks = parity.TrainingPair(schedule_steps=3), parity.Checks(probes=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert with_former({"training": training, "checks": checks, "seed": 4}) == {
            "training": training, "checks": checks, "seed": 4,
        }  # fmt: skip


def test_former_names_are_added_to_the_group_that_is_given() -> None:
    with pytest.warns(DeprecationWarning):
        options = with_former({"checks": parity.Checks(dropout="shared"), "probes": False})
    assert options["checks"] == parity.Checks(dropout="shared", probes=False)


def test_the_warning_is_told_of_the_line_that_calls() -> None:
    with pytest.warns(DeprecationWarning) as told, pytest.raises(UsageError, match="no such"):
        parity.compare(nnx.Linear(3, 2, rngs=nnx.Rngs(0)), torch.nn.Linear(3, 2), X, accept=["no such"])
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"checks": parity.Checks(probes=False), "probes": False}, "probes is given twice"),
        ({"checks": {"probes": False}}, "checks got dict; expected parity.Checks"),
        ({"training": "adam"}, "training got str; expected parity.TrainingPair"),
    ],
)
def test_what_cannot_be_meant_is_usage(options: dict[str, Any], words: str) -> None:
    with warnings.catch_warnings(), pytest.raises(UsageError, match=words):
        warnings.simplefilter("ignore")
        with_former(options)


def test_what_dropout_does_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="dropout got 'half'; expected one of off, shared"):
        parity.Checks(dropout="half")  # type: ignore[arg-type]


def test_an_unknown_keyword_is_an_error_of_python() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'optimisers'"):
        parity.compare(None, None, X, optimisers=())


def test_the_groups_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parity.Checks().probes = False  # type: ignore[misc]
