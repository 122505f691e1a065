"""Brought pairs as source files: the settings put in, and nothing of them left."""

import ast
from pathlib import Path

import pytest

from benchmarks.evidence.causes.truths import TRUTHS
from benchmarks.evidence.repairs import __main__ as repairs
from benchmarks.evidence.repairs.sources import source_of
from parity.bugs.catalogue import BUGS, Bug, chosen

PLANTED = [bug for bug in BUGS if bug.id in TRUTHS]


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.id)
def test_no_settings_are_left_in_a_source(bug: Bug) -> None:
    file, text = source_of(bug)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    assert file.endswith(".py") and not names & {"Settings", "s", "settings"}
    assert ".s." not in text and "settings" not in text
    assert any(
        item.name == "pair" and not item.args.args for item in ast.parse(text).body if isinstance(item, ast.FunctionDef)
    )


def test_a_bug_is_in_its_own_side_only() -> None:
    _, text = source_of(chosen(["attention-axis"])[0])
    assert "torch.softmax(scores, dim=-2)" in text and "jax.nn.softmax(scores, axis=-1)" in text
    _, text = source_of(chosen(["average-twice"])[0])
    assert text.count("range(2)") == 1 and text.count("range(1)") == 1


def test_what_is_on_record_is_not_repaired_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def made(context: object, name: str) -> dict[str, object]:
        asked.append(name)
        return {"id": name, "mechanism": "", "side": "flax", "repaired": name == "silu", "proven": True, "diff": ""}

    monkeypatch.setattr(repairs, "_apart", made)
    monkeypatch.setattr(repairs, "_context", lambda: None)
    record = str(tmp_path / "repairs.json")
    assert repairs.main(["silu", "--json", record]) == 0
    assert repairs.main(["gelu-tanh", "silu", "--json", record]) == 0
    assert asked == ["silu", "gelu-tanh"]
    rows = repairs._read(record)
    repairs._write(record, [rows["gelu-tanh"] | {"error": repairs.UNTRIED}, rows["silu"]])
    assert repairs.main(["gelu-tanh", "silu", "--json", record]) == 0 and asked[2:] == ["gelu-tanh"]
    rows = repairs._read(record)
    assert set(rows) == {"silu", "gelu-tanh"}
    assert repairs.counted(list(rows.values())) == {"bugs": 2, "different": 0, "proven": 2, "patched": 0, "repaired": 1}
