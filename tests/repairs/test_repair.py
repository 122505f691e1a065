"""The rounds of a repair: patches that are kept and dropped, what is left, and the user's files."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.errors import UsageError
from parity.interface.programs.undone import Spot, Undone
from parity.pair.bar import Bar
from parity.repairs.copies import Check
from parity.repairs.document import document, schema
from parity.repairs.record import Repair
from parity.repairs.repair import Repairer, written
from parity.repairs.source.project import text_of
from parity.repairs.terminal import show
from parity.report.pair import Report
from parity.report.records import Coverage, Difference

ROOT = Path(__file__).parents[2]
SOURCE = "import torch\n\n\ndef pair():\n    y = torch.softmax(x, dim=0)\n    z = torch.cumsum(y, dim=1)\n"
RIGHT = {"softmax": "dim=-1", "cumsum": "dim=-2"}


def report(gaps: Mapping[str, float], proven: bool = True) -> Report:
    """A report on a pair whose outputs of that name are so far apart."""
    findings = [
        Finding("output", name, Verdict.DIFFERENT if gap else Verdict.SAME, share=gap, gap=gap)
        for name, gap in gaps.items()
    ]
    first = next((name for name, gap in gaps.items() if gap), "")
    line = 5 + list(gaps).index(first) if first else 0
    wanted = RIGHT.get(first, "").removeprefix("dim=")
    undone = (
        Undone("torch", "setting", Spot(first, f"pair.py:{line}"), "dim", "0" if first == "softmax" else "1", wanted),
    )
    difference = Difference(
        "forward", "", first, f"{first} differs", cause="an axis", mend=f"write dim={wanted} in PyTorch",
        proof="so" if proven else "", lines={"torch": f"pair.py:{line}"}, undone=undone,
    )  # fmt: skip
    rungs: list[Rung] = [rung(2, "forward", findings)]
    verdict = rungs[0].verdict
    return Report("pair", verdict, rungs, difference if first else None, [], [], [], [], Coverage(1, 1))


def checked(seen: list[str]) -> Check:
    """A check that reads the text: each line is right or not."""

    def check(texts: Mapping[str, str], bar: Bar | None = None) -> Report:
        text = next(iter(texts.values()), SOURCE)
        seen.append(text)
        return report({name: 0.0 if f"{name}(" in text and right in text else 1.0 for name, right in RIGHT.items()})

    return check


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pair.py").write_text(SOURCE)
    return tmp_path / "pair.py"


def test_causes_are_mended_one_after_the_other_and_no_file_is_touched(pair: Path) -> None:
    made = Repairer(checked([])).repair("pair.py:pair", pair)
    assert made.repaired and made.verdict is Verdict.SAME and made.before.verdict is Verdict.DIFFERENT
    assert [one.kept.words for one in made.rounds if one.kept] == ["write dim=-1", "write dim=-2"]
    assert "--- a/pair.py\n+++ b/pair.py\n" in made.diff and made.diff.count("\n+    ") == 2
    assert pair.read_text() == SOURCE
    text = document(made)
    jsonschema = pytest.importorskip("jsonschema", reason="pip install 'netparity[dev]'")
    kept = json.loads((ROOT / "docs" / "schema" / "repair-1.json").read_text())
    assert kept == schema(), "say python -m parity.repairs.document > docs/schema/repair-1.json"
    jsonschema.Draft202012Validator(kept).validate(json.loads(json.dumps(text)))
    assert text["repaired"] is True and text["exit_code"] == 0 and text["left"]["cause"] is None


def test_rounds_end_at_their_number(pair: Path) -> None:
    made = Repairer(checked([]), rounds=1).repair("pair.py:pair", pair)
    assert len(made.rounds) == 1 and made.diff and not made.repaired
    assert document(made)["left"]["place"]["text"] == "cumsum differs" and document(made)["exit_code"] == 1


def test_the_other_side_alone_has_no_patch(pair: Path) -> None:
    made = Repairer(checked([]), side="flax").repair("pair.py:pair", pair)
    assert made.diff == "" and made.rounds[0].kept is None and not made.rounds[0].tried


@pytest.mark.parametrize(("gap", "kept"), [(1.0, False), (0.9, False), (0.4, True), (math.nan, False)])
def test_a_patch_is_kept_if_it_brings_the_sides_much_nearer(pair: Path, gap: float, kept: bool) -> None:
    def check(texts: Mapping[str, str], bar: Bar | None = None) -> Report:
        return report({"softmax": gap if texts else 1.0, "cumsum": 1.0})

    made = Repairer(check, rounds=1).repair("pair.py:pair", pair)
    assert bool(made.diff) is kept
    assert made.rounds[0].tried and all(one.why for one in made.rounds[0].tried if not one.kept)


def test_a_patch_with_which_the_pair_does_not_run_is_dropped(pair: Path) -> None:
    def check(texts: Mapping[str, str], bar: Bar | None = None) -> Report | UsageError:
        return UsageError("the file cannot be imported") if texts else report({"softmax": 1.0})

    made = Repairer(check).repair("pair.py:pair", pair)
    assert made.diff == "" and "cannot be imported" in made.rounds[0].tried[0].why


def test_a_pair_that_cannot_be_checked_is_an_error(pair: Path) -> None:
    with pytest.raises(UsageError, match="no network"):
        Repairer(lambda texts, bar: UsageError("no network")).repair("pair.py:pair", pair)


def test_a_cause_without_proof_is_not_patched(pair: Path) -> None:
    seen: list[Mapping[str, str]] = []

    def check(texts: Mapping[str, str], bar: Bar | None = None) -> Report:
        seen.append(texts)
        return report({"softmax": 1.0}, proven=False)

    made = Repairer(check).repair("pair.py:pair", pair)
    assert len(seen) == 1 and made.diff == "" and made.rounds[0].cause == "an axis"


def test_a_pair_that_is_the_same_is_left_as_it_is(pair: Path) -> None:
    made = Repairer(lambda texts, bar: report({"softmax": 0.0})).repair("pair.py:pair", pair)
    assert not made.rounds and not made.repaired and made.verdict.passes


def test_files_are_written_only_if_they_have_not_changed(pair: Path) -> None:
    made = Repairer(checked([])).repair("pair.py:pair", pair)
    pair.write_text(SOURCE + "# mine\n")
    with pytest.raises(UsageError, match=r"pair\.py has changed since"):
        written(made, text_of)
    assert pair.read_text() == SOURCE + "# mine\n"
    pair.write_text(SOURCE)
    done = written(made, text_of)
    assert done.written == (str(pair.resolve()),) and "dim=-1" in pair.read_text() and "dim=-2" in pair.read_text()
    pair.unlink()
    with pytest.raises(UsageError, match="nothing was written"):
        written(made, text_of)


def shown(made: Repair) -> str:
    from io import StringIO

    from rich.console import Console

    out = Console(file=StringIO(), width=100, color_system=None)
    with out.capture() as captured:
        show(out, made)
    return captured.get()


def test_the_terminal_says_what_where_the_patch_and_what_is_left(pair: Path) -> None:
    made = Repairer(checked([]), rounds=1).repair("pair.py:pair", pair)
    words = shown(made)
    for part in ("1. softmax differs", "where: PyTorch pair.py:5", "cause: an axis", "torch.softmax(x, dim=-1)",
                 "proven again: no", "left: cumsum differs", "--write"):  # fmt: skip
        assert part in words, part
    whole = shown(Repairer(checked([])).repair("pair.py:pair", pair))
    assert "proven again: yes" in whole and "left:" not in whole
    none = shown(replace(made, diff="", rounds=[replace(made.rounds[0], tried=())]))
    assert "no patch by rule; write it yourself: write dim=-1 in PyTorch" in none and "no patch was kept" in none


def layered(gelu: bool, padding: bool) -> Report:
    """A report on a pair with a wrong GELU before a layer whose padding is wrong: one output shows both."""
    gap = 0.0 if gelu and padding else 0.9
    output = Finding("output", "conv2", Verdict.DIFFERENT if gap else Verdict.SAME, share=gap, gap=gap)
    spot = Spot("softmax", "pair.py:5")
    first = Difference(
        "forward", "input of conv2", "input of conv2", "its input differs", cause="a GELU", mend="write dim=-1",
        proof="so", lines={"torch": "pair.py:5"}, undone=(Undone("torch", "setting", spot, "dim", "0", "-1"),),
    )  # fmt: skip
    spot = Spot("cumsum", "pair.py:6")
    second = Difference(
        "forward", "conv2", "conv2", "its output differs", cause="a padding", mend="write dim=-2",
        proof="so", lines={"torch": "pair.py:6"}, undone=(Undone("torch", "setting", spot, "dim", "1", "-2"),),
    )  # fmt: skip
    shown = None if not gap else second if gelu else replace(first, further=(second,))
    ruled = rung(2, "forward", [output])
    return Report("pair", ruled.verdict, [ruled], shown, [], [], [], [], Coverage(1, 1))


@pytest.mark.parametrize("harm", [False, True])
def test_a_patch_that_brings_the_pair_to_its_next_difference_is_kept(harm: bool, pair: Path) -> None:
    """The output behind both does not come nearer by the first patch; with `harm` it parts at a place nobody named."""

    def check(texts: Mapping[str, str], bar: Bar | None = None) -> Report:
        text = next(iter(texts.values()), SOURCE)
        made = layered("dim=-1" in text, "dim=-2" in text)
        first = made.first_difference
        if not harm or first is None or "dim=-1" not in text:
            return made
        return replace(made, first_difference=replace(first, layer_flax="conv1", layer_torch="conv1"))

    made = Repairer(check).repair("pair.py:pair", pair)
    assert [one.kept.words for one in made.rounds if one.kept] == ([] if harm else ["write dim=-1", "write dim=-2"])
    assert made.repaired is not harm
