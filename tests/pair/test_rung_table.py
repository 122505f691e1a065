"""The table of a pair's rungs: its order, and that the first need that is not met is the reason that is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.pair import rung_table
from parity.pair.passes.progress import Progress
from parity.pair.rung_table import TABLE, PairRung

RULED = rung(4, NAMES[4], [Finding("buffer", "norm", Verdict.SAME)])


class Run(SimpleNamespace):
    """What a row asks of a `LadderRun`; it writes down what is done."""

    def __init__(self) -> None:
        self.said: list[str] = []
        super().__init__(watch=Progress(self.said.append), not_run={}, rungs=[])

    def ruled(self, ruled: Rung) -> None:
        self.rungs.append(ruled)


def row(number: int, *reasons: str, unasked: str = "") -> PairRung:
    needs = tuple((lambda run, reason=reason: reason) for reason in reasons)
    return PairRung(number, f"rung {number}", needs, lambda run: RULED, unasked=lambda run: unasked)


def climbed(*rows: PairRung, monkeypatch: pytest.MonkeyPatch) -> Run:
    run: Any = Run()
    monkeypatch.setattr(rung_table, "TABLE", rows)
    rung_table.climb(run)
    return run


def test_the_rows_are_in_the_ladders_order_and_end_before_the_recipes_own() -> None:
    assert [row.number for row in TABLE] == [number for number in NAMES if 3 <= number <= 6]


def test_the_first_need_that_is_not_met_is_told_and_nothing_is_ruled(monkeypatch: pytest.MonkeyPatch) -> None:
    run = climbed(row(4, "", "no buffers", "random"), monkeypatch=monkeypatch)
    assert run.not_run == {4: "no buffers"}
    assert (run.rungs, run.said, run.watch.rung) == ([], ["rung 4"], 4)


def test_a_rung_whose_needs_are_met_is_ruled(monkeypatch: pytest.MonkeyPatch) -> None:
    run = climbed(row(4, "", ""), monkeypatch=monkeypatch)
    assert (run.not_run, run.rungs) == ({}, [RULED])


def test_a_rung_that_nobody_asked_for_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    run = climbed(row(4), row(5, "random", unasked="no optimizers"), row(6, "tied"), monkeypatch=monkeypatch)
    assert run.not_run == {5: "no optimizers", 6: "tied"}
    assert run.said == ["rung 4", "rung 6"]
