"""Every bug that is planted in a text is found in it once, changes it, and has a truth to be held against."""

import re

from benchmarks.evidence.causes import planted
from benchmarks.evidence.causes.__main__ import answer_row
from benchmarks.evidence.causes.counts import counted, operations
from benchmarks.evidence.causes.truths import TRUTHS
from parity.report.records import Difference

BUGS = planted.planted()


def test_names_are_one_for_all_and_there_are_enough() -> None:
    names = [*(bug.id for bug in BUGS), *TRUTHS]
    assert len(set(names)) == len(names) >= 120
    assert sum(bug.flat for bug in BUGS) >= 40


def test_every_text_is_there_and_is_changed() -> None:
    for bug in BUGS:
        written = planted.planted_text(bug)
        compile(written.text, bug.pair, "exec")
        assert written.text != (planted.WRITTEN / f"{bug.pair}.py").read_text(encoding="utf-8")
        assert bug.side == "both" or written.lines[bug.side]
        assert bug.truth and all(re.compile(pattern) for pattern in bug.truth)


def test_a_cause_beside_the_right_one_that_says_nothing_of_the_bug_is_wrong() -> None:
    right = Difference("forward", "a", "a", "differs", cause="PyTorch adds 1")
    odd = Difference("forward", "b", "b", "differs", cause="Flax applies tanh")
    assert answer_row(right, ["add"])["right"] and not answer_row(right, ["add"])["wrong"]
    both = answer_row(Difference("forward", "a", "a", "differs", cause="PyTorch adds 1", further=(odd,)), ["add"])
    assert both["wrong"] and both["further"] == ["Flax applies tanh"]
    assert not answer_row(None, ["add"])["wrong"]


def test_operations_are_counted_by_the_lines_that_are_named() -> None:
    row = {"side": "flax", "flat": True, "at": {"flax": True, "torch": False}, "caught": True, "placed": True,
           "cause": "a", "right": True, "wrong": False, "proof": "b"}  # fmt: skip
    rows = [row, {**row, "at": {"flax": True, "torch": True}}, {**row, "flat": False}, {**row, "at": {}}]
    wanted = {"operations": 2, "at the operation": 2, "at the bug": 2, "with both lines": 2, "at both lines": 1}
    assert operations(rows) == wanted
    assert counted(rows) == {
        "bugs": 4,
        "caught": 4,
        "placed": 4,
        "cause": 4,
        "right": 4,
        "wrong": 0,
        "proven": 4,
        **wanted,
    }
