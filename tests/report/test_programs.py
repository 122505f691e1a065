"""A report for programs: its schema, its answer, and annotations of the user's lines."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parity.report import json_
from parity.report.pair import Report
from parity.report.pair_json import document, write_all
from parity.report.programs.annotations import annotations
from parity.report.programs.answer import answer, next_step
from parity.report.programs.schema import check_schema, schema
from tests.report import made_pair
from tests.report.made import WRONG, bad, result

ROOT = Path(__file__).parent.parent.parent
MADE = [made_pair.report(12, 3), made_pair.accepted(), made_pair.unruled(), made_pair.empty(), made_pair.hostile()]
by_name = pytest.mark.parametrize("report", MADE, ids=lambda report: report.name[:8])


def faults(found: Any, name: str = "pair-2") -> list[str]:
    """What a document has that a schema in docs/ does not allow."""
    jsonschema = pytest.importorskip("jsonschema", reason="pip install 'netparity[dev]'")
    checker = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text()))
    return [error.message for error in checker.iter_errors(found)]


@pytest.mark.parametrize(("name", "made"), [("pair-2", schema), ("check-2", check_schema)])
def test_the_schema_in_docs_is_that_of_the_records(name: str, made: Callable[[], Any]) -> None:
    kept = json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text())
    assert kept == made(), f"say python -m parity.report.programs.schema {name[:5]} > docs/schema/{name}.json"


def test_reports_on_recipes_are_as_their_schema_says(tmp_path: Path) -> None:
    json_.write([result("vgg", bad(2, WRONG)), result("moons")], tmp_path / "all.json")
    found = json.loads((tmp_path / "all.json").read_text())
    assert faults(found, "check-2") == []
    assert [one["next"][:7] for one in found["results"]] == ["Compare", "Nothing"]
    assert faults({**found, "format": "netparity-check/1"}, "check-2")
    del found["results"][0]["next"]
    assert faults(found, "check-2")


@by_name
def test_a_report_is_as_the_schema_says(report: Report) -> None:
    assert faults(document(report)) == []


def test_a_list_of_reports_is_as_the_schema_says(tmp_path: Path) -> None:
    write_all(MADE[:3], tmp_path / "all.json")
    found = json.loads((tmp_path / "all.json").read_text())
    assert faults(found) == [] and [one["verdict"] for one in found["results"]] == ["different", "same", "inconclusive"]


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"format": "netparity-pair/1"},
        {"exit_code": 2},
        {"next": None},
        {"place": {"rung": "forward"}},
        {"more": 1},
        {"losses": {"flax": ["infinity"]}},
        {"layers": [{}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_is_not_so(change: dict[str, Any]) -> None:
    assert faults({**document(MADE[0]), **change})
    missing = document(MADE[0])
    del missing[next(iter({"verdict"} | change.keys() - {"more"}))]
    assert faults(missing)


def test_the_answer_has_place_cause_and_mend() -> None:
    found = answer(made_pair.report(12, 3))
    assert found["place"]["layer_torch"] == "layer1.0.bn1" and found["place"]["rung"] == "forward"
    assert found["place"]["values"].keys() == {"flax", "torch"} and found["mend"] == found["mend"].strip()
    assert "padding SAME in Flax" in found["cause"]
    assert found["next"] == "Write padding=((1, 1), (1, 1)) in Flax; check again."
    assert [answer(made_pair.report())[key] for key in ("place", "cause", "mend")] == [None, None, None]


def test_what_is_next_follows_from_the_verdict() -> None:
    bad = made_pair.report(12, 3)
    assert bad.first_difference is not None
    unknown = replace(bad, first_difference=replace(bad.first_difference, mend=""))
    assert next_step(made_pair.report()).startswith("Nothing")
    assert "--repro" in next_step(unknown)
    assert next_step(replace(unknown, repro_script="")).startswith("Compare the two sides")
    assert "(--accept running_var_bias)" in next_step(made_pair.accepted(agreed=False))
    assert "hinders the comparison" in next_step(made_pair.unruled())


def test_a_pass_has_no_annotation(tmp_path: Path) -> None:
    assert annotations(made_pair.report(), tmp_path / "port.py", 3) == []


def test_what_differs_is_told_at_the_function_of_the_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (line,) = annotations(made_pair.report(12, 3, "a,b: 100 %"), tmp_path / "ports" / "port.py", 3)
    assert line.startswith("::error file=ports/port.py,line=3,title=netparity%3A a%2Cb%3A 100 %25 is different::")
    assert "%0ACause: " in line and line.endswith("%0AWrite padding=((1, 1), (1, 1)) in Flax; check again.")
    (line,) = annotations(made_pair.unruled(), tmp_path / "port.py", 7)
    assert line.startswith("::warning file=port.py,line=7,")


def test_lines_that_the_report_names_are_annotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    for name in ("port.py", "net.py"):
        (tmp_path / name).touch()
    bad = made_pair.report(12, 3)
    assert bad.first_difference is not None
    text = "computed in bfloat16 at net.py:12 in Flax only, not in gone.py line 3 or port.py line 40"
    named = replace(bad, first_difference=replace(bad.first_difference, text=text))
    found = annotations(named, tmp_path / "port.py", 3)
    assert [line.split("title")[0] for line in found] == [
        "::error file=net.py,line=12,",
        "::error file=port.py,line=40,",
    ]


def test_a_hostile_name_ends_no_command() -> None:
    for line in annotations(made_pair.hostile(), Path("port.py"), 1):
        assert "\n" not in line and "\r" not in line
        line.encode()


def test_what_is_to_be_done_stands_at_the_end() -> None:
    bad = replace(made_pair.report(12, 3, name="port.py:pair"), repro_script="")
    assert bad.first_difference is not None
    proven = replace(bad, first_difference=replace(bad.first_difference, proof="the gap falls"))
    last = [str(report).splitlines()[-1] for report in (bad, proven, replace(proven, name="resnet18"))]
    assert last[0] == last[2] == "next: Write padding=((1, 1), (1, 1)) in Flax; check again."
    assert (
        last[1]
        == f"{last[0]} Or say parity repair port.py:pair: it writes what it can into a copy and proves the pair again."
    )
    assert not str(made_pair.report()).splitlines()[-1].startswith("next")
