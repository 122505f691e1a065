"""The catalogue of planted bugs covers what it must; `test_pages` plants every one of them."""

from collections import Counter

from parity.bugs import jax_, torch_
from parity.bugs.catalogue import BUGS
from parity.bugs.pairs import PAIRS

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


def test_every_bug_can_be_planted_and_nothing_else_can() -> None:
    assert len({bug.id for bug in BUGS}) == len(BUGS)
    for side, planted in (("jax", jax_.PLANTED), ("torch", torch_.PLANTED)):
        assert {bug.id for bug in BUGS if bug.side == side} == set(planted)
    assert all(bug.pair in PAIRS for bug in BUGS)
