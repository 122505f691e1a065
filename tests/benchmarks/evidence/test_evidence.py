"""The page of evidence, from a record made by hand."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.evidence import __main__ as everything
from benchmarks.evidence import draws, page, plots, slow, summary, tables
from benchmarks.evidence.record import Evidence, Gap, read
from parity.checks import referee
from parity.errors import UsageError

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
OLD = ("0 of 2026-01-02", "1 of 2026-01-02")
EXPLAINED = {
    "id": "one-head", "mechanism": "one head", "side": "flax", "place": "the output of a", "cause": "a | b",
    "proof": "undone in Flax", "right": True, "wrong": False, "lines": {"flax": "a.py:1"},
}  # fmt: skip
REPAIRED = {
    "id": "one-head", "mechanism": "one head", "side": "flax", "before": "different", "after": "same", "proven": True,
    "repaired": True, "diff": "--- a/a.py\n+++ b/a.py\n", "left": "",
    "rounds": [{"cause": "a | b", "mend": "write b", "lines": {}, "tried": 2, "kept": "flax: write b"}],
}  # fmt: skip
BROKEN = {"id": "two-heads", "mechanism": "two heads", "side": "torch", "repaired": False, "error": "the process died"}
MUTANTS = {"modules": {"a.py": {"mutants": 9, "killed": 9}}, "survivors": []}


def lines(found: list[dict[str, Any]], **more: Any) -> str:
    return "\n".join(json.dumps({"number": n, **line, **more}) for n, line in reversed(list(enumerate(found))))


@pytest.fixture
def found(tmp_path: Path) -> Evidence:
    parts = {
        "bugs.json": json.dumps({"summary": "1 of 1 caught", "bugs": [BUG]}),
        "causes.json": json.dumps({"commit": "a", "bugs": [EXPLAINED, {**EXPLAINED, "right": False, "proof": ""}]}),
        "repairs.json": json.dumps({"commit": "a", "bugs": [REPAIRED, BROKEN]}),
        "drawn_repairs.json": json.dumps({"commit": "a", "bugs": [REPAIRED, {**REPAIRED, "before": "same"}]}),
        "graded.json": json.dumps({"tolerances": [1e-5], "threshold": 1024.0, "families": [FAMILY]}),
        "margins.json": json.dumps(MARGINS),
        "mutants.json": json.dumps(MUTANTS),
        "slow.json": json.dumps(SLOW),
        "correct.jsonl": lines(CORRECT),
        "bug.jsonl": lines(WRONG, mutation="one head"),
    }
    folder = tmp_path / "2026-01-02-evidence"
    folder.mkdir()
    for name, text in parts.items():
        (folder / name).write_text(text)
    return read([folder])


def test_draws_are_in_order(found: Evidence) -> None:
    assert [line["number"] for line in found.draws[0].wrong] == list(range(len(WRONG)))


def test_each_part_is_read_from_the_newest_folder_that_has_it(found: Evidence, tmp_path: Path) -> None:
    later = tmp_path / "2026-02-01-evidence"
    later.mkdir()
    (later / "slow.json").write_text(json.dumps(SLOW | {"commit": "def"}))
    (later / "correct.jsonl").write_text(lines(CORRECT[:1], kinds=["dense", "tap"]))
    (later / "bug.jsonl").write_text(lines(WRONG[:2], mutation="ids from 1", kinds=["ids"]))
    record = read([found.folders["bugs"], later])
    assert (record.slow["commit"], record.folders["slow"]) == ("def", later)
    assert record.bugs == found.bugs and record.folders["bugs"] == found.folders["bugs"]
    assert [(draws.date, len(draws.correct)) for draws in record.draws] == [("2026-02-01", 1), ("2026-01-02", 3)]
    assert [gap.where for gap in record.same] == ["mlp", *(f"draw {n}" for n in ("0 of 2026-02-01", *OLD))]
    told = summary.short(record).splitlines()
    assert told[3].startswith(
        "- Networks drawn at random on 2026-02-01, with layers as people write them themselves: 0 of 1 "
    )
    assert told[4].startswith("- Networks drawn at random on 2026-01-02: 0 of 3 ")
    assert "| tap | 1 | 1 | 0 | 0 |" in page.files(record)[later / "draws.md"]
    assert "| tap |" not in page.files(record)[found.folders["bugs"] / "draws.md"]


def test_a_record_without_a_part_is_one_line(found: Evidence) -> None:
    (found.folders["slow"] / "slow.json").unlink()
    with pytest.raises(UsageError, match=r"has slow\.json"):
        read([found.folders["bugs"]])


def test_only_pairs_that_pass_are_same_and_only_told_ones_different(found: Evidence) -> None:
    assert found.same == [Gap(20.0, "mlp"), *(Gap(gap, f"draw {n}") for gap, n in zip((2.0, 3.0), OLD, strict=True))]
    drawn = [Gap(gap, f"draw {n}: one head") for gap, n in zip((4e9, 1e8), OLD, strict=True)]
    assert found.caught == [Gap(2e6, "adam-eps"), *drawn]


def test_a_bug_that_passes_is_wrong_unless_there_is_a_reason(found: Evidence) -> None:
    correct, wrong = tables.rates(found.draws[0]).splitlines()[2:]
    assert correct == "| correct | 3 | 0 | 1 | 2 | 0 | 0 | 0 | 0 | 0.00% to 70.76% |"
    assert wrong == "| with one bug | 5 | 2 | 0 | 1 | 1 | 0 | 1 | 1 | 0.51% to 71.64% |"
    assert tables.kinds(found.draws[0].wrong).splitlines()[2] == "| one head | 5 | 2 | 0 | 1 | 1 | 0 | 1 |"


def test_a_draw_that_failed_is_a_wrong_verdict(found: Evidence) -> None:
    failed = [*found.draws[0].correct, {"number": 3, "verdict": "error"}]
    assert "| correct | 4 | 0 | 1 | 2 | 0 | 0 | 0 | 1 |" in tables.rates(replace(found.draws[0], correct=failed))


def test_the_smallest_size_that_is_caught_is_the_last_without_a_gap(found: Evidence) -> None:
    assert tables.sizes(found.graded).splitlines()[2] == "| an epsilon | 1e-06 | 0.001 |"


def test_the_threshold_lies_between_the_ends(found: Evidence) -> None:
    text = tables.threshold(found)
    assert "is 51 times above the one and 1,953 times below the other" in text
    assert "| correct pairs | 3 | 3 |" in text
    shown = summary.short(found).splitlines()[4]
    assert shown.startswith("- The threshold is 1024: the largest gap of 3 correct pairs is 20, ")
    assert shown.endswith("the smallest of 3 pairs with a bug is 2.0e+06.")


def test_the_summary_counts_wrong_verdicts_and_leads_to_every_table(found: Evidence) -> None:
    rows = summary.table(found).splitlines()[2:]
    assert rows[1].startswith("| causes of bugs in brought pairs | 2 | 1 named and proven")
    assert rows[2].startswith(
        "| repairs of these bugs in source files | 2 | 1 repaired by a patch and proven again (50%)"
    )
    assert rows[3].startswith(
        "| repairs of drawn bugs | 2 | of 1 that are called different, 1 repaired by a patch and proven again (100%)"
    )
    assert rows[4].startswith("| networks drawn at random on 2026-01-02, correct | 3 | 2 same, 1 inconclusive: 0 wrong")
    assert "1 wrong verdicts" in rows[5]
    folder = found.folders["bugs"]
    linked = {row.rpartition(f"(../benchmarks/records/{folder.name}/")[2].rstrip(") |") for row in rows}
    assert {folder / name for name in linked} == page.files(found).keys()


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
    assert "| `a.py` | 9 | 9 | 0 | 0 | 100.0% |" in page.files(found)[found.folders["mutants"] / "mutants.md"]
    written = "".join(path.read_text() for path in page.PAGES)
    assert [name for name in made if f"<!-- {name} -->\n" not in written] == []


def test_figures_show_all_that_is_on_record(found: Evidence) -> None:
    (axes,) = plots.margins([gap.share for gap in found.same], [gap.share for gap in found.caught], 1024.0).axes
    assert sum(patch.get_height() for patch in axes.patches) == len(found.same) + len(found.caught)  # type: ignore[attr-defined]
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
    monkeypatch.setattr(page, "read", lambda: read([tmp_path]))
    assert page.main(["--check"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("benchmarks: ") and len(shown.err.splitlines()) == 1


def test_every_page_says_what_the_newest_record_says() -> None:
    assert page.main(["--check"]) == 0


def test_the_thresholds_words_are_those_of_the_newest_record() -> None:
    record = read()
    above, below = tables.margins_of(record)
    words = " ".join(Path(referee.__file__).read_text().split())
    assert record.threshold == referee.MARGIN
    assert all(f"records/{draws.folder.name}" in words for draws in record.draws)
    assert f"{above} above the largest gap of {len(record.same):,} correct pairs" in words
    assert f"{below} below the smallest that one of {len(record.caught):,} pairs with a bug" in words
    assert f"stay below {np.quantile([gap.share for gap in record.same], 0.99):.0f})" in words


def test_the_draws_on_record_are_numbered_from_0_and_no_verdict_is_wrong() -> None:
    for drawn in read().draws:
        for numbered in (drawn.correct, drawn.wrong):
            assert [line["number"] for line in numbered] == [*range(len(numbered))]
        judged = {line["number"]: tables.verdict(line) for line in drawn.correct}
        alarms = [number for number, verdict in judged.items() if verdict not in ("same", "inconclusive")]
        assert not alarms
        assert not {"same", "error"} & {tables.verdict(line) for line in drawn.wrong}


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
    counts = read().slow["modules"].values()
    assert sum(found["passed"] for found in counts) > 0
    assert sum(found["failed"] for found in counts) == 0


def test_causes_are_counted_by_whether_they_are_proven_and_right(found: Evidence) -> None:
    assert summary.causes(found.causes) == (
        "1 named and proven by undoing them (50%), 1 of them right and 0 wrong; an operation with its line told for 2"
    )
    assert "| right | flax a.py:1 |" in tables.causes(found.causes).splitlines()[2]


def test_repairs_that_were_not_tried_count_as_none(found: Evidence) -> None:
    words = summary.repairs({"bugs": [*found.repairs["bugs"], {**BROKEN, "error": "not tried yet"}]})
    assert words.startswith("1 repaired by a patch and proven again (33%); 1 had a proven cause")
    assert words.endswith("; 1 not tried yet, which counts as not repaired")


def test_repairs_are_shown_with_their_patches(found: Evidence) -> None:
    table, patch = tables.repairs(found.repairs).split("\n\n", 1)
    assert "| a / b | flax: write b | 2 | repaired |" in table.splitlines()[2]
    assert table.splitlines()[3].endswith("| 0 | the process died |")
    assert patch == "`one-head`:\n\n```diff\n--- a/a.py\n+++ b/a.py\n```"


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
    parts = ["causes", "repairs", "slow", "graded", "mutants", "repairs", "margins", "draws", "draws", "page"]
    assert made == parts
    assert run[0][1:] == ["--json", str(tmp_path / "causes.json")]

    monkeypatch.setattr(everything.subprocess, "run", lambda command, **how: SimpleNamespace(returncode=3))
    assert everything.main(["--out", str(tmp_path)]) == 3
