"""The mutants of the checks: what is read of mutmut's folder, what is demanded of it, and the newest record."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.evidence import mutants, mutants_page
from benchmarks.evidence.record import newest
from parity.errors import UsageError

STATUS = {0: "survived", 1: "killed", 33: "no tests", 36: "timeout", None: "not checked"}
DIFF = """--- parity/checks/a.py
+++ parity/checks/a.py
@@ -1,4 +1,4 @@
 def rule(x):
-    return size(x) <= LIMIT
+    return size(x) < LIMIT
"""
RULE, SIZE = "parity.checks.a.x_rule__mutmut_", "parity.checks.b.xǁPairǁsize__mutmut_"


def _folder(tmp_path: Path, **codes: dict[str, int | None]) -> Path:
    for module, by in codes.items():
        path = tmp_path / "parity" / "checks" / f"{module}.py.meta"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"exit_code_by_key": by}))
    return tmp_path


def _collected(folder: Path) -> dict[str, Any]:
    return mutants.collected(folder, STATUS, lambda name, module: DIFF)


def test_a_run_is_counted_by_module_and_survivors_are_named(tmp_path) -> None:
    killed = {f"{RULE}{i}": 1 for i in range(8)}
    ended = _folder(tmp_path, a={**killed, f"{RULE}8": 0, f"{RULE}9": 36}, b={f"{SIZE}1": 33}, empty={})
    found = _collected(ended)
    assert found["modules"] == {
        "parity/checks/a.py": {"mutants": 10, "killed": 8, "survived": 1, "timeout": 1},
        "parity/checks/b.py": {"mutants": 1, "no tests": 1},
    }
    change = "return size(x) <= LIMIT → return size(x) < LIMIT"
    assert found["survivors"] == [
        {"function": "parity.checks.a.rule", "change": change},
        {"function": "parity.checks.b.Pair.size", "change": change},
    ]
    assert [mutants.score(counts) for counts in found["modules"].values()] == [0.9, 0.0]
    assert mutants.score(mutants.total(found)) == pytest.approx(9 / 11)


@pytest.mark.parametrize(
    "codes", [{}, {"a": {}}, {"a": {f"{RULE}1": 1, f"{RULE}2": None}}], ids=["none", "empty", "half"]
)
def test_a_run_that_has_not_finished_is_refused(codes, tmp_path) -> None:
    with pytest.raises(UsageError, match="no finished run of mutmut; run python -m"):
        _collected(_folder(tmp_path, **codes))


def _record(killed: int, *survivors: str) -> dict[str, Any]:
    counts = {"mutants": killed + len(survivors), "killed": killed, "survived": len(survivors)}
    return {"modules": {"m.py": counts}, "survivors": [{"function": "m.f", "change": change} for change in survivors]}


def test_too_few_caught_a_survivor_without_an_explanation_and_one_too_many_are_told() -> None:
    record = _record(18, "a → b", "c → d")
    assert mutants.faults(record, {("m.f", "a → b"): "alike", ("m.f", "c → d"): "alike"}) == []
    few = _record(17, "a → b", "c → d")
    assert mutants.faults(few, {("m.f", "a → b"): "alike", ("m.g", "c → d"): "alike"}) == [
        "89.5% of the mutants are caught; expected at least 90%: write tests",
        "survived, and is not explained in survivors.toml: m.f: c → d",
        "is explained in survivors.toml, but has not survived: m.g: c → d",
    ]


@pytest.mark.parametrize(("killed", "code"), [(9, 0), (8, 1)])
def test_a_run_is_written_and_fails_where_too_few_are_caught(killed, code, tmp_path, monkeypatch, capsys) -> None:
    record = _record(killed)
    record["modules"]["m.py"]["mutants"] = 10
    for name, made in {"find_spec": str, "version": str, "run": print, "left": lambda: record}.items():
        monkeypatch.setattr(mutants, name, made)
    monkeypatch.setattr(mutants, "explanations", dict)
    assert mutants.main(["--json", str(tmp_path / "m.json"), "--processes", "3"]) == code
    written = json.loads((tmp_path / "m.json").read_text())
    assert written["modules"] == record["modules"] and written["processes"] == 3 and written["versions"]["mutmut"]
    said = capsys.readouterr()
    assert f"all: 10 mutants, {killed}0.0% caught" in said.out and bool(said.err) == (code == 1)


def test_without_mutmut_its_name_is_told(monkeypatch) -> None:
    monkeypatch.setattr(mutants, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="netparity\\[mutation\\]"):
        mutants.main([])


def test_one_explanation_covers_several_changes(tmp_path) -> None:
    (tmp_path / "s.toml").write_text('[[explained]]\nfunction = "m.f"\nchanges = ["a → b", "c → d"]\nwhy = "alike"\n')
    assert mutants.explanations(tmp_path / "s.toml") == {("m.f", "a → b"): "alike", ("m.f", "c → d"): "alike"}


@pytest.mark.parametrize(
    ("change", "short"),
    [
        ("return size(x) <= LIMIT → return size(x) < LIMIT", "<= → <"),
        ("f(a, b) → f(a, )", "b) → )"),
        ("a and b → a", "and b → nothing"),
        ("x x → x x x", "nothing → x"),
        ("a → b", "a → b"),
    ],
)
def test_a_change_is_shown_without_what_stays(change: str, short: str) -> None:
    assert mutants_page.short(change) == short


def test_the_page_has_a_row_a_module_and_a_row_an_explanation() -> None:
    explained = {("m.f", change): "alike" for change in ("a → b", "x a → x b", "c → d")}
    said = mutants_page.block(_record(16, "a → b", "x a → x b", "c → d", "e → f"), explained)
    assert "| `m.py` | 20 | 16 | 0 | 4 | 80.0% |" in said and "| **all** | 20 | 16 | 0 | 4 | 80.0% |" in said
    assert "| alike | `a → b` in `m.f`, 2 times; `c → d` in `m.f` |" in said
    assert "| not explained | `e → f` in `m.f` |" in said


def test_the_newest_record_catches_enough_and_explains_the_others() -> None:
    record = json.loads((newest("mutants.json") / "mutants.json").read_text())
    assert mutants.faults(record, mutants.explanations()) == []
    caught = mutants.total(record)
    assert caught["mutants"] - sum(caught[status] for status in mutants.CAUGHT) == len(record["survivors"])
    assert {"parity/weights.py", "parity/checks/referee.py"} <= record["modules"].keys()
    assert record["versions"]["mutmut"] and record["commit"] and record["seconds"] > 0
