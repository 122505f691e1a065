"""The gallery's page is that of its record, and the record is whole; the packages of its pairs are not needed here."""

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.pairs.gallery import page
from benchmarks.pairs.gallery.__main__ import main, newest
from benchmarks.pairs.gallery.catalogue import PAIRS
from benchmarks.pairs.gallery.ledger import LEDGER
from benchmarks.pairs.gallery.makers.ordered import carried, joined, places
from benchmarks.pairs.gallery.record import right

RECORD = json.loads(newest().read_text())
FLOAT32, FLOAT64 = 1e-3, 1e-5
"""What rounding in float32 may make of a gap, and what a table held in float32 may make of one in float64."""


def test_the_page_is_that_of_the_record() -> None:
    assert main(["--page", "--check"]) == 0


def test_every_pair_on_record_has_its_truth_and_every_other_is_told_on_the_page() -> None:
    assert RECORD["pairs"].keys() <= PAIRS.keys()
    told = page.summary(RECORD["pairs"])
    assert all(name in RECORD["pairs"] or name in told for name in PAIRS)
    for name, found in RECORD["pairs"].items():
        pair = PAIRS[name]
        assert (found["package"], found["truth"]) == (pair.package, pair.truth)
        assert (tuple(found["because"]), tuple(found["accept"])) == (pair.because, pair.accept)


def test_there_are_enough_pairs_of_enough_architectures() -> None:
    assert len(RECORD["pairs"]) >= 40
    assert sum(found["package"].startswith("transformers") for found in RECORD["pairs"].values()) >= 28


UNDECIDED = {"cait"}
"""Pairs that are the same and on which no check rules yet; nothing else than this may be said of them."""


def test_no_alarm_no_miss_no_traceback() -> None:
    otherwise = {name: found for name, found in RECORD["pairs"].items() if not right(found)}
    assert set(otherwise) == UNDECIDED
    assert {found["told"]["verdict"] for found in otherwise.values()} == {"inconclusive"}


@pytest.mark.parametrize("name", [name for name, found in RECORD["pairs"].items() if found["truth"] == "same"])
def test_a_pair_that_is_called_the_same_agrees_by_its_own_converter(name: str) -> None:
    evidence = RECORD["pairs"][name]["established"]["evaluation"]
    for gaps in evidence.values():
        assert gaps["compared"] > 0
        assert gaps.get("float32", 0.0) < FLOAT32
        assert gaps.get("float64", 0.0) < FLOAT64 or name == "longt5"  # the page says why


def test_every_difference_has_its_entry_and_every_entry_was_run() -> None:
    named = {entry for pair in PAIRS.values() for entry in pair.because}
    assert named == LEDGER.keys() == RECORD["ledger"].keys()
    assert all(RECORD["ledger"].values())
    assert all((pair.truth == "different") == bool(pair.because) for pair in PAIRS.values())


def test_a_wrong_verdict_is_told_on_the_page() -> None:
    found = RECORD["pairs"]["bert"]
    wrong: Any = {**found, "told": {**found["told"], "verdict": "traceback"}}
    assert "judged otherwise: bert" in page.summary({"bert": wrong})
    assert "| traceback |" in page.table({"bert": wrong})


def test_a_pair_that_does_not_exist_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", "anywhere", "no such pair"]) == 2
    assert "no such pair" in capsys.readouterr().err


def test_the_converter_by_hand_keeps_a_bias_with_its_weight() -> None:
    flax = {
        "params/Conv_0/kernel": np.zeros((1, 1, 2, 2)),
        "params/Conv_0/bias": np.zeros(2),
        "params/Dense_0/kernel": np.zeros((2, 2)),
        "params/Dense_0/bias": np.zeros(2),
    }
    torch = {
        "q.weight": np.arange(4.0).reshape(2, 2),
        "q.bias": np.array([1.0, 2.0]),
        "sr.weight": np.ones((2, 2, 1, 1)),
        "sr.bias": np.array([3.0, 4.0]),
    }
    where = places(flax, torch, {})
    assert where["q.bias"] == "params/Dense_0/bias"
    tree = carried(torch, where, flax)["params"]
    assert tree["Dense_0"]["kernel"].tolist() == [[0.0, 2.0], [1.0, 3.0]]
    assert tree["Conv_0"]["bias"].tolist() == [3.0, 4.0]


def test_the_converter_by_hand_says_what_has_no_place() -> None:
    with pytest.raises(ValueError, match=r"w\.weight \(3,\) has no place"):
        places({"params/Dense_0/kernel": np.zeros((2, 2))}, {"w.weight": np.zeros(3)}, {})


def test_two_layers_are_joined_row_by_row() -> None:
    arrays = {"a.k.bias": np.array([1.0]), "a.v.bias": np.array([2.0]), "a.q.bias": np.array([0.0])}
    assert {name: array.tolist() for name, array in joined(arrays, (".k.", ".v."), ".kv.").items()} == {
        "a.kv.bias": [1.0, 2.0],
        "a.q.bias": [0.0],
    }
