"""The page of evidence, from a record made by hand."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.evidence import __main__ as everything
from benchmarks.evidence import draws, page, plots, slow, summary, tables
from benchmarks.evidence.record import Evidence, Gap, newest, read
from parity.checks import referee

SAME, DIFFERENT = {"verdict": "same", "share": 2.0, "told": 0.0}, {"verdict": "different", "share": 1.0, "told": 4e9}
CORRECT = [SAME, SAME | {"verdict": "same, less accurate", "share": 3.0}, {"verdict": "inconclusive", "share": 9.0}]
WRONG = [
    DIFFERENT,
    DIFFERENT | {"told": 1e8},
    SAME | {"why": "no effect", "told": 5.0},
    SAME | {"why": "carried by another map"},
    SAME | {"why": "missed"},
]
BUG = {
    "id": "swapped", "mechanism": "swapped axes", "side": "jax", "rungs": {"1": "same", "2": "different"},
    "named": "conv", "cause": "a cause", "hides": "square inputs", "evidence": ["https://one", "https://two"],
}  # fmt: skip
SIZES = [
    {"size": 1e-3, "share": 1e9, "referee": True, "1e-05": True},
    {"size": 1e-6, "share": 1e6, "referee": True, "1e-05": False},
]
FAMILY = {"name": "an epsilon", "sound": {"referee": False, "1e-05": False}, "sizes": SIZES}
MARGINS = {
    "threshold": 1024.0,
    "correct": [{"share": 20.0, "where": "mlp"}],
    "planted": [{"share": 2e6, "where": "adam-eps"}],
}
SLOW = {"commit": "abc", "seconds": 600, "modules": {"tests.a": {"passed": 3, "failed": 0, "skipped": 1}}}
EXPLAINED = {
    "id": "one-head", "mechanism": "one head", "side": "flax", "place": "the output of a", "cause": "a | b",
    "proof": "undone in Flax", "right": True, "wrong": False, "lines": {"flax": "a.py:1"},
}  # fmt: skip
MUTANTS = {"modules": {"a.py": {"mutants": 9, "killed": 9}}, "survivors": []}


def lines(found: list[dict[str, Any]], **more: Any) -> str:
    return "\n".join(json.dumps({"number": n, **line, **more}) for n, line in reversed(list(enumerate(found))))


@pytest.fixture
def found(tmp_path: Path) -> Evidence:
    parts = {
        "bugs.json": json.dumps({"summary": "1 of 1 caught", "bugs": [BUG]}),
        "causes.json": json.dumps({"commit": "a", "bugs": [EXPLAINED, {**EXPLAINED, "right": False, "proof": ""}]}),
        "graded.json": json.dumps({"tolerances": [1e-5], "threshold": 1024.0, "families": [FAMILY]}),
        "margins.json": json.dumps(MARGINS),
        "mutants.json": json.dumps(MUTANTS),
        "slow.json": json.dumps(SLOW),
        "correct.jsonl": lines(CORRECT),
        "bug.jsonl": lines(WRONG, mutation="one head"),
    }
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
    return read(tmp_path)


def test_draws_are_in_order(found: Evidence) -> None:
    assert [line["number"] for line in found.wrong] == list(range(len(WRONG)))


def test_only_pairs_that_pass_are_same_and_only_told_ones_different(found: Evidence) -> None:
    assert found.same == [Gap(20.0, "mlp"), Gap(2.0, "draw 0"), Gap(3.0, "draw 1")]
    assert found.told == [Gap(2e6, "adam-eps"), Gap(4e9, "draw 0: one head"), Gap(1e8, "draw 1: one head")]


def test_a_bug_that_passes_is_wrong_unless_there_is_a_reason(found: Evidence) -> None:
    correct, wrong = tables.rates(found.correct, found.wrong).splitlines()[2:]
    assert correct == "| correct | 3 | 0 | 1 | 2 | 0 | 0 | 0 | 0.00% to 70.76% |"
    assert wrong == "| with one bug | 5 | 2 | 0 | 1 | 1 | 1 | 1 | 0.51% to 71.64% |"
    assert tables.kinds(found.wrong).splitlines()[2] == "| one head | 5 | 2 | 0 | 1 | 1 | 1 |"


def test_a_draw_that_failed_is_a_wrong_verdict(found: Evidence) -> None:
    failed = [*found.correct, {"number": 3, "verdict": "error"}]
    assert "| correct | 4 | 0 | 1 | 2 | 0 | 0 | 1 |" in tables.rates(failed, found.wrong)


def test_the_smallest_size_that_is_caught_is_the_last_without_a_gap(found: Evidence) -> None:
    assert tables.sizes(found.graded).splitlines()[2] == "| an epsilon | 1e-06 | 0.001 |"


def test_the_threshold_lies_between_the_ends(found: Evidence) -> None:
    text = tables.threshold(found)
    assert "is 51 times above the one and 1,953 times below the other" in text
    assert "| correct pairs | 3 | 3 |" in text
    shown = summary.short(found).splitlines()[2]
    assert shown.startswith("- The threshold is 1024: the largest gap of 3 correct pairs is 20, ")
    assert shown.endswith("the smallest of 3 pairs with a bug is 2.0e+06.")


def test_the_summary_counts_wrong_verdicts_and_leads_to_every_table(found: Evidence) -> None:
    rows = summary.table(found, "place").splitlines()[2:]
    assert rows[1].startswith("| causes of bugs in brought pairs | 2 | 1 named and proven")
    assert rows[2].startswith(
        "| random correct networks | 3 | 2 same, 1 inconclusive: 0 wrong verdicts (95 % interval "
    )
    assert "1 wrong verdicts" in rows[3]
    linked = {row.rpartition("(place/")[2].rstrip(") |") for row in rows}
    assert linked == page.files(found).keys()


def test_a_bug_is_counted_on_the_first_rung_that_catches_it_and_a_control_on_none(found: Evidence) -> None:
    control = BUG | {"rungs": {"1": "same", "2": "same"}}
    later = BUG | {"rungs": {"1": "same", "2": "same", "3": "inconclusive"}}
    told = summary.rungs({"bugs": [BUG, BUG, control, later]})
    assert told == "First caught: 2 on rung 2 (forward); 1 on rung 3 (gradients)."


def test_a_bug_is_a_row_with_its_links(found: Evidence) -> None:
    row = tables.matrix(found.bugs).splitlines()[2]
    assert row.startswith("| `swapped` | swapped axes | jax | = | ≠ |")
    assert row.endswith("| `conv` | yes | square inputs | [1](https://one), [2](https://two) |")


def test_every_block_is_made(found: Evidence) -> None:
    made = page.made(found)
    assert "| `a.py` | 9 | 9 | 0 | 0 | 100.0% |" in page.files(found)["mutants.md"]
    written = "".join(path.read_text() for path in page.PAGES)
    assert [name for name in made if f"<!-- {name} -->\n" not in written] == []


def test_figures_show_all_that_is_on_record(found: Evidence) -> None:
    (axes,) = plots.margins([gap.share for gap in found.same], [gap.share for gap in found.told], 1024.0).axes
    assert sum(patch.get_height() for patch in axes.patches) == len(found.same) + len(found.told)  # type: ignore[attr-defined]
    (axes,) = plots.curve(found.graded).axes
    assert np.array_equal(axes.lines[0].get_xdata(), [1e-6, 1e-3])


def test_a_run_of_draws_goes_on_after_a_line_that_was_cut(tmp_path: Path) -> None:
    out = tmp_path / "draws.jsonl"
    out.write_bytes(b'{"number": 0}\n{"number": 2}\n{"numb')
    assert next(draws._missing(out, 5)) == (1, 2)
    assert out.read_bytes() == b'{"number": 0}\n{"number": 2}\n'
    out.write_bytes(b'{"number": 0}\n{"number": 1}')
    assert next(draws._missing(out, 5)) == (2, 5)
    assert out.read_bytes() == b'{"number": 0}\n{"number": 1}\n'
    assert next(draws._missing(tmp_path / "none", 5)) == (0, 5)


def test_a_record_that_cannot_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "newest", lambda: tmp_path)
    assert page.main(["--check"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("benchmarks: ") and len(shown.err.splitlines()) == 1


def test_every_page_says_what_the_newest_record_says() -> None:
    assert page.main(["--check"]) == 0


def test_the_thresholds_words_are_those_of_the_newest_record() -> None:
    record = read(newest())
    above, below = tables.margins_of(record)
    words = " ".join(Path(referee.__file__).read_text().split())
    assert record.threshold == referee.MARGIN
    assert f"records/{record.folder.name}" in words
    assert f"{above} above the largest gap of {len(record.same):,} correct pairs" in words
    assert f"{below} below the smallest that one of {len(record.told):,} pairs with a bug" in words
    assert f"stay below {np.quantile([gap.share for gap in record.same], 0.99):.0f})" in words


def test_the_newest_record_has_as_many_draws_as_were_asked_for_and_no_wrong_verdict() -> None:
    record = read(newest())
    assert [line["number"] for line in record.correct] == [line["number"] for line in record.wrong] == [*range(2000)]
    assert {tables.verdict(line) for line in record.correct} <= {"same", "inconclusive"}
    assert not {"same", "error"} & {tables.verdict(line) for line in record.wrong}


JUNIT = """<testsuites><testsuite name="pytest" tests="4" time="61.6">
<testcase classname="tests.a" name="one" time="1"/>
<testcase classname="tests.a" name="two" time="1"><failure message="no">no</failure></testcase>
<testcase classname="tests.b" name="three" time="1"><skipped message="not here"/></testcase>
<testcase classname="tests.b" name="four" time="1"><error message="no"/></testcase>
</testsuite></testsuites>"""


def test_slow_tests_are_counted_by_module(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT)
    found = slow.counted(tmp_path / "junit.xml")
    assert found["modules"]["tests.a"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert found["modules"]["tests.b"] == {"passed": 0, "failed": 1, "skipped": 1}
    text = slow.block({**found, "commit": "abc"})
    assert "took 1 min at commit abc" in text and "| `tests.b` | 0 | 1 | 1 |" in text


def test_no_slow_test_failed_when_they_were_run_last() -> None:
    counts = read(newest()).slow["modules"].values()
    assert sum(found["passed"] for found in counts) > 0
    assert sum(found["failed"] for found in counts) == 0


def test_causes_are_counted_by_whether_they_are_proven_and_right(found: Evidence) -> None:
    assert summary.causes(found.causes) == (
        "1 named and proven by undoing them (50%), 1 of them right and 0 wrong; an operation with its line told for 2"
    )
    assert "| right | flax a.py:1 |" in tables.causes(found.causes).splitlines()[2]


def test_a_record_is_gone_on_with_and_stops_at_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bugs.json").touch()
    (tmp_path / "correct.jsonl").touch()
    run: list[list[str]] = []

    def ended(command: list[str], **how: Any) -> SimpleNamespace:
        run.append(command[2:])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(everything.subprocess, "run", ended)
    assert everything.main(["--out", str(tmp_path)]) == 0
    made = [command[0].rpartition(".")[2] for command in run]
    assert made == ["causes", "slow", "graded", "mutants", "margins", "draws", "draws", "page"]
    assert run[0][1:] == ["--json", str(tmp_path / "causes.json")]

    monkeypatch.setattr(everything.subprocess, "run", lambda command, **how: SimpleNamespace(returncode=3))
    assert everything.main(["--out", str(tmp_path)]) == 3
