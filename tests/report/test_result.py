"""The verdict of a check, its headline and its exit code."""

import pytest

from parity.checks.verdict import Rung, Verdict
from parity.report.exit_codes import exit_code
from parity.report.pair import Report
from tests.report.made import BAD, CAST, LAZY, LESS, SAME, UNSURE, WRONG, bad, good, of_recipe, result

CODES = {SAME: 0, LESS: 0, BAD: 1, UNSURE: 3}


def _code(reports: list[Report]) -> int:
    return exit_code(report.verdict for report in reports)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_exit_code(verdict: Verdict) -> None:
    assert _code([result("vgg", Rung(4, "state", verdict))]) == CODES[verdict]


def test_the_worst_result_decides() -> None:
    same, less, unsure, wrong = (result("x", *rungs) for rungs in ([], [bad(2, LAZY)], [bad(2, CAST)], [bad(2, WRONG)]))
    assert _code([same, less]) == 0
    assert _code([less, unsure, same]) == 3
    assert _code([unsure, wrong, same]) == 1


def test_nothing_is_inconclusive() -> None:
    assert _code([]) == 3
    assert _code([of_recipe("x", ())]) == 3


def test_what_is_the_same_has_no_headline() -> None:
    assert result("x").verdict is SAME
    assert result("x").headline is None


def test_the_first_rung_that_fails_is_the_headline() -> None:
    made = result("x", bad(2, LAZY), bad(4, CAST), bad(5, WRONG))
    assert made.verdict is BAD
    assert made.headline is not None
    assert made.headline.number == 4


def test_lower_accuracy_is_the_headline_where_nothing_fails() -> None:
    made = result("x", bad(3, LAZY), bad(6, LAZY))
    assert made.verdict is LESS
    assert made.headline == bad(3, LAZY)
    assert made.verdict.passes


def test_a_good_rung_is_no_headline() -> None:
    assert of_recipe("x", (good(1), bad(2, WRONG))).headline == bad(2, WRONG)
