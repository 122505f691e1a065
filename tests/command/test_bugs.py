"""The catalogue of planted bugs covers what it must; `test_pages` plants every one of them."""

from collections import Counter
from importlib import import_module

import pytest

import parity
from parity.bugs import brought
from parity.bugs import flax as flax_bugs
from parity.bugs import torch as torch_bugs
from parity.bugs.catalogue import BUGS, SOUND
from parity.bugs.pairs import PAIRS
from parity.bugs.run import run
from parity.checks.verdict import Verdict

DEMANDED = {
    "bn-eps-1.01e-5",
    "bn-momentum-0.9",
    "bn-biased",
    "pool-same",
    "kernel-.T",
    "flatten-order",
    "rmsprop-eps-inside",
    "adamw",
    "clip-after",
    "gradients-x8",
    "label-shift",
}


def test_there_are_enough_bugs_on_every_rung() -> None:
    rungs = Counter(bug.rung for bug in BUGS)
    assert sum(count for rung, count in rungs.items() if rung) >= 24
    assert all(rungs[rung] >= 2 for rung in range(1, 9))
    assert rungs[0] >= 10


def test_the_demanded_bugs_are_there() -> None:
    assert {bug.id for bug in BUGS} >= DEMANDED


def test_there_are_a_hundred_with_evidence() -> None:
    bugs = [bug for bug in BUGS if not bug.is_control]
    assert len(bugs) >= 100
    assert all(link.startswith("https://") for bug in bugs for link in bug.evidence)
    assert sum(bool(bug.evidence) for bug in bugs) > len(bugs) / 2


def test_every_bug_can_be_planted_and_nothing_else_can() -> None:
    assert len({bug.id for bug in BUGS}) == len(BUGS)
    for side, planted in (("flax", flax_bugs.PLANTED), ("torch", torch_bugs.PLANTED)):
        assert {bug.id for bug in BUGS if bug.side == side and bug.pair in PAIRS} == set(planted)
    assert all((bug.pair in PAIRS) != (bug.pair in brought.PAIRS) for bug in BUGS)
    assert all(bool(bug.plant) == (bug.pair in brought.PAIRS) for bug in BUGS)


def test_every_brought_pair_is_a_control_with_nothing_planted() -> None:
    assert {control.pair for control in SOUND} == set(brought.PAIRS)
    assert all(control.is_control and not control.plant for control in SOUND)
    assert len({bug.id for bug in (*BUGS, *SOUND)}) == len(BUGS) + len(SOUND)


def test_the_bugs_of_brought_pairs_change_a_setting() -> None:
    for bug in BUGS:
        if bug.pair in brought.PAIRS:
            name, base = brought.PAIRS[bug.pair]
            settings = import_module(f"parity.bugs.brought.{name}").Settings(**base)
            assert all(getattr(settings, key) != value for key, value in bug.plant.items()), bug.id


QUICK = ("cosine",)


@pytest.mark.parametrize(
    "pair", [pytest.param(pair, marks=[] if pair in QUICK else [pytest.mark.slow]) for pair in brought.PAIRS]
)
def test_a_brought_pair_is_the_same_without_a_bug(pair: str) -> None:
    flax, torch, inputs, options = brought.make(pair)
    report = parity.compare(flax, torch, inputs, name=pair, **options)
    assert report.verdict in (Verdict.SAME, Verdict.LESS_ACCURATE), report.first_difference


@pytest.mark.parametrize("id", ["lstm-gates", "query-scaled-before", "average-decay", "cosine-T-1"])
def test_a_bug_of_a_brought_pair_is_caught_where_it_is(id: str) -> None:
    (outcome,) = run([id])
    assert outcome.as_expected, (outcome.headline, outcome.layer)


def test_a_control_with_nothing_planted_raises_no_alarm() -> None:
    (outcome,) = run(["sound-cosine"])
    assert outcome.as_expected, (outcome.headline, outcome.layer)
