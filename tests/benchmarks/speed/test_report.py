"""Pages, targets and comparisons, of the project's own record and of what is made of it."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.speed import derive, record
from benchmarks.speed.pages import compare, report, targets
from parity.errors import UsageError

PATH = report.newest()
RECORD = record.load(PATH)


@pytest.fixture
def changed() -> dict[str, Any]:
    """A copy of the record, to be changed."""
    return copy.deepcopy(RECORD)


def slowed(found: dict[str, Any], workload: str, contestant: str, factor: float) -> None:
    for turn in found["workloads"][workload]["turns"]:
        if turn["contestant"] == contestant:
            turn["training"]["seconds_per_step"] = [factor * s for s in turn["training"]["seconds_per_step"]]


def test_every_page_says_what_the_newest_record_says() -> None:
    assert main(["report", "--check"]) == 0


def test_a_page_that_says_something_else_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("something else")
    assert main(["report", str(PATH), "--html", str(page), "--check"]) == 1
    assert f"{page} does not say what" in capsys.readouterr().err
    assert page.read_text() == "something else"


def test_a_record_elsewhere_becomes_one_page_that_asks_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RECORD))
    assert main(["report", str(path)]) == 0
    page = path.with_suffix(".html").read_text()
    assert page.count("<svg") == 3
    assert "Content-Security-Policy" in page
    assert "src=" not in page
    assert " style=" not in page  # the policy would not let it
    assert all('fill="currentColor"' in tag for tag in re.findall("<svg[^>]*>", page))  # not black in the dark
    assert not {"#000000", "#ffffff"} & set(re.findall(r'(?:fill|stroke)="(.*?)"', page))
    assert not list(tmp_path.glob("*.svg"))


@pytest.mark.parametrize("key", ["command", "environment.commit", "ceilings.best.gemm", "busy", "workloads"])
def test_what_a_record_lacks_is_named(changed: dict[str, Any], key: str) -> None:
    *path, last = key.split(".")
    place = changed
    for part in path:
        place = place[part]
    del place[last]
    with pytest.raises(UsageError, match=rf": {key}: Field required, got .*; make it anew"):
        record.require(changed, "it")


def test_what_a_turn_lacks_is_named_with_its_place(changed: dict[str, Any]) -> None:
    del changed["workloads"]["mlp"]["turns"][2]["training"]["seconds_per_step"]
    with pytest.raises(
        UsageError, match=r"workloads\.mlp\.turns\[2\]\.Turn\.training\.seconds_per_step: Field required"
    ):
        record.require(changed, "it")


def test_a_number_without_a_proof_is_refused(changed: dict[str, Any]) -> None:
    changed["workloads"]["mlp"]["proofs"]["torch-tuned"]["verdict"] = "different"
    with pytest.raises(UsageError, match="times torch-tuned on mlp, which was not proven the same"):
        record.require(changed, "it")


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    record.save(RECORD, out)
    with pytest.raises(UsageError, match="records are not overwritten"):
        record.save(RECORD, out)
    assert record.load(out) == RECORD


def test_another_schema_is_refused_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**RECORD, "schema": 99}))
    assert main(["compare", str(PATH), str(other)]) == 2
    assert "got 99" in capsys.readouterr().err


def test_a_record_does_not_differ_from_itself() -> None:
    found = list(compare.changes(RECORD, RECORD))
    assert len(found) > 100
    assert {one.median for one in found} == {1.0}
    assert not any(one.flag for one in found)
    assert compare.differences(RECORD, RECORD) == {}


def test_what_became_slower_is_flagged_and_nothing_else(changed: dict[str, Any]) -> None:
    slowed(changed, "mlp", "flax-tuned", 3.0)
    flagged = [
        (one.workload, one.contestant, one.phase, one.flag) for one in compare.changes(RECORD, changed) if one.flag
    ]
    assert flagged == [("mlp", "flax-tuned", "training", "slower")]
    assert [one.flag for one in compare.changes(changed, RECORD) if one.flag] == ["faster"]


def test_other_versions_and_threads_are_said_first(changed: dict[str, Any]) -> None:
    changed["environment"]["versions"]["jax"] = "0.0.1"
    changed["request"]["threads"] = 64
    assert set(compare.differences(RECORD, changed)) == {"versions.jax", "threads"}
    text = compare.text(RECORD, changed)
    assert text.index("0.0.1") < text.index("flax-tuned")


def test_a_target_is_met_or_missed_by_what_was_measured(changed: dict[str, Any]) -> None:
    def judged(found: dict[str, Any]) -> dict[tuple[str, str], targets.Judged]:
        return {(one.target, one.where): one for one in targets.judge(found)}

    key = ("torch-tuned at least as fast as torch-default", "`vgg-32`")
    before = judged(changed)[key]
    slowed(changed, "vgg-32", "torch-tuned", 4.0)
    after = judged(changed)[key]
    assert (before.met, after.met) == (True, False)
    assert before.value is not None
    assert after.value == pytest.approx(before.value / 4)
    assert after.verdict == f"missed by {1 - before.value / 4:.1%}"


def test_a_workload_that_is_not_there_is_not_judged(changed: dict[str, Any]) -> None:
    del changed["workloads"]["mlp"]
    assert all(one.met is None for one in targets.judge(changed) if one.where == "`mlp`")


def test_a_ratio_is_paired_within_rounds(changed: dict[str, Any]) -> None:
    """A round in which the whole machine was ten times slower leaves each ratio as it was."""
    before = derive.ratio(changed, "mlp", "torch-default", "torch-tuned")
    for turn in changed["workloads"]["mlp"]["turns"]:
        if turn["round"] == 1:
            turn["training"]["seconds_per_step"] = [10 * s for s in turn["training"]["seconds_per_step"]]
    after = derive.ratio(changed, "mlp", "torch-default", "torch-tuned")
    assert before is not None
    assert after is not None
    assert after["median"] == pytest.approx(before["median"])
