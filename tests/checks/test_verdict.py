"""Verdicts, and how a rung sums up its findings."""

from itertools import permutations

import pytest

from parity.checks.verdict import Verdict, rung, worst
from tests.checks.made import finding


def test_the_worst_is_the_last_in_the_list() -> None:
    assert list(Verdict) == [Verdict.SAME, Verdict.LESS_ACCURATE, Verdict.INCONCLUSIVE, Verdict.DIFFERENT]
    for n in range(1, 5):
        for verdicts in permutations(list(Verdict)[:n]):
            assert worst(verdicts) is list(Verdict)[n - 1]


def test_the_worst_of_nothing_is_inconclusive() -> None:
    assert worst([]) is Verdict.INCONCLUSIVE


def test_only_the_same_function_passes() -> None:
    assert [verdict.passes for verdict in Verdict] == [True, True, False, False]


def test_a_rung_without_findings_is_inconclusive() -> None:
    empty = rung(2, "forward", [])
    assert (empty.verdict, empty.headline, empty.layer) == (Verdict.INCONCLUSIVE, None, "")


def test_a_rung_that_is_the_same_shows_the_largest_share() -> None:
    made = rung(2, "forward", [finding("a", share=0.5), finding("b", share=7.0), finding("c", share=2.0)])
    assert made.verdict is Verdict.SAME
    assert made.layer == ""
    assert made.headline is not None
    assert made.headline.name == "b"


@pytest.mark.parametrize("verdict", list(Verdict)[1:])
def test_a_rung_that_is_not_the_same_shows_the_first_of_its_verdict(verdict: Verdict) -> None:
    made = rung(5, "update", [finding("a", share=500.0), finding("b", verdict), finding("c", verdict)])
    assert made.verdict is verdict
    assert made.layer == "b"
    assert made.headline == finding("b", verdict)


def test_the_first_of_the_worst_not_the_first_of_the_bad() -> None:
    made = rung(5, "update", [finding("a", Verdict.LESS_ACCURATE), finding("b", Verdict.DIFFERENT)])
    assert (made.verdict, made.layer) == (Verdict.DIFFERENT, "b")


def test_who_is_blamed_comes_first() -> None:
    blamed = finding("b", Verdict.DIFFERENT)
    made = rung(2, "forward", [finding("a", Verdict.DIFFERENT), blamed], blamed, "the layer b")
    assert (made.headline, made.layer) == (blamed, "the layer b")
