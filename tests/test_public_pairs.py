"""Public networks against ports with their own names and habits: the small ones here, all of them in
`make pairs`, whose record docs/pairs.md is written from."""

import json

import pytest

import parity
from benchmarks.pairs import check as public_pairs
from parity.checks.verdict import Verdict
from parity.pair.rungs.map_table import NO_EFFECT
from tests.pairs import PAIRS, WRONG

QUICK = ("gru", "char_lstm_own_cell", "nanogpt", "transformer_encoder", "llama")
QUICK_WRONG = ("transformer_epsilon", "char_lstm_no_bias", "llama_tiled_keys")
RECORD = json.loads(public_pairs.newest().read_text())["pairs"]


@pytest.mark.parametrize("name", QUICK)
def test_a_public_network_is_the_same_as_its_port(name: str) -> None:
    flax, torch, inputs, options = PAIRS[name]()
    report = parity.compare(flax, torch, inputs, checks=parity.Checks(probes=False), **options)
    assert report.verdict is Verdict.SAME
    assert report.coverage.parameters == 1.0
    keys = {line.torch for line in report.weights if not line.proven}
    assert keys == {line.torch for line in report.weights if line.note == NO_EFFECT}
    if name == "transformer_encoder":  # the key's bias is the same for every key, which softmax does not see
        assert {line.how for line in report.weights if not line.proven} == {"rows 32 to 64"}
    else:
        assert not keys


@pytest.mark.parametrize("name", QUICK_WRONG)
def test_a_wrong_port_is_different_where_the_bug_is(name: str) -> None:
    make, layer, _ = WRONG[name]
    flax, torch, inputs, options = make()
    report = parity.compare(flax, torch, inputs, checks=parity.Checks(probes=False), **options)
    assert report.verdict is Verdict.DIFFERENT
    assert report.first_difference is not None and layer in report.first_difference.layer_torch


def test_the_page_is_that_of_the_record() -> None:
    assert public_pairs.main(["--page", "--check"]) == 0


def test_every_public_pair_is_on_record_and_none_is_wrong() -> None:
    assert RECORD.keys() == {*PAIRS, *WRONG}
    for name, found in RECORD.items():
        assert found["verdict"] == ("different" if name in WRONG else "same"), name
        assert name in WRONG or (
            found["mapped"] == 1.0 and found["proven"] + found["without_effect"] == found["arrays"]
        ), name
