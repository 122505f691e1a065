"""The table bug × rung: what was caught, what was not, and what raised an alarm that should not."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from parity.bugs.catalogue import BUGS, SOUND, Bug, chosen
from parity.bugs.run import Outcome
from parity.checks.verdict import Finding, Rung
from parity.cli.bugs_table import FORMAT, show, summary, write
from parity.errors import UsageError
from tests.report.made import BAD, UNSURE, bad, result

BUG = Bug("eps", "another epsilon", "torch", "vgg", 2, "norm", "45")
CONTROL = next(bug for bug in BUGS if bug.is_control)


def _outcome(bug: Bug, *rungs: Rung) -> Outcome:
    return Outcome(bug, result("vgg", *rungs).rungs)


CAUGHT = _outcome(BUG, bad(2, Finding("output", "norm", BAD)))
LATE = _outcome(BUG, bad(3, Finding("gradient", "norm", BAD)))
ELSEWHERE = _outcome(BUG, bad(2, Finding("output", "conv", BAD)))
UNRULED = _outcome(BUG, bad(2, Finding("output", "norm", UNSURE)))
MISSED = _outcome(BUG)
QUIET = _outcome(CONTROL)
ALARM = _outcome(CONTROL, bad(6, Finding("loss", "step 1", BAD)))


def test_a_bug_must_be_caught_at_its_rung_and_layer_with_its_verdict() -> None:
    assert [o.as_expected for o in (CAUGHT, LATE, ELSEWHERE, UNRULED, MISSED)] == [True, False, False, False, False]
    assert [o.caught for o in (CAUGHT, LATE, ELSEWHERE, UNRULED, MISSED)] == [True, True, True, True, False]


def test_a_bug_whose_cause_is_known_must_be_told_with_it() -> None:
    known = replace(BUG, rung=10, cause="a cause")
    outcomes = [Outcome(known, [bad(10, Finding("loss", "norm", BAD))], cause=cause) for cause in ("a cause", "", "b")]
    assert [outcome.as_expected for outcome in outcomes] == [True, False, False]


def test_a_control_must_raise_no_alarm() -> None:
    assert (QUIET.as_expected, ALARM.as_expected) == (True, False)


def test_the_sums() -> None:
    assert summary([CAUGHT, LATE, MISSED, QUIET, ALARM]) == (
        "2 of 3 bugs caught, 1 at the rung and the layer they belong to; 1 of 2 controls raised an alarm"
    )


def test_the_table_says_what_should_have_been() -> None:
    out = Console(file=StringIO(), width=160, highlight=False)
    show(out, [CAUGHT, MISSED, ALARM])
    assert isinstance(out.file, StringIO)
    lines = out.file.getvalue().splitlines()
    assert lines[1].split() == ["eps", "torch", *"=≠======", "norm", "yes"]
    assert lines[2].rstrip().endswith("NO, different on 2 at norm")
    assert lines[3].rstrip().endswith("NO, control: no alarm")
    assert lines[-1] == summary([CAUGHT, MISSED, ALARM])


def test_the_outcomes_as_json(tmp_path: Path) -> None:
    write([CAUGHT, MISSED], tmp_path / "bugs.json")
    document = json.loads((tmp_path / "bugs.json").read_text())
    assert document["format"] == FORMAT
    caught, missed = document["bugs"]
    assert (caught["id"], caught["as_expected"], caught["named"]) == ("eps", True, "norm")
    assert caught["rungs"]["2"] == "different"
    assert (missed["as_expected"], missed["named"]) == (False, None)


def test_bugs_are_chosen_by_name() -> None:
    assert chosen([]) == [*BUGS, *SOUND]
    assert [bug.id for bug in chosen(["adamw", "bn-ddof"])] == ["adamw", "bn-ddof"]
    with pytest.raises(UsageError, match="did you mean bn-ddof"):
        chosen(["bn-ddoff"])
