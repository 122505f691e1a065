"""Blocks of pages and tables beside records: what is written, and what a check notices."""

from pathlib import Path

import pytest

from benchmarks.pages import blocks, study_short
from benchmarks.pairs import check as public_pairs
from benchmarks.scaling import page as scaling_page
from benchmarks.speed.pages import report
from benchmarks.speed.pages.page import Section

PAGE = "# A page\n\n<!-- answer -->\nold\n<!-- /answer -->\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def updated(page: Path, table: Path, *, check: bool) -> int:
    tables = {table: blocks.beside("All of it", "run.json", "python -m command", "| 1 |")}
    return blocks.update([page], {"answer": "new"}, check=check, source="run", command="it", tables=tables)


def test_a_page_and_the_tables_beside_its_record_are_written(page: Path, tmp_path: Path) -> None:
    table = tmp_path / "run.md"
    assert updated(page, table, check=False) == 0
    assert page.read_text() == PAGE.replace("old", "new")
    assert table.read_text() == "# All of it\n\nWritten from [run.json](run.json) by `python -m command`.\n\n| 1 |\n"
    assert updated(page, table, check=True) == 0


def test_a_table_that_is_missing_or_says_something_else_is_noticed(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "run.md"
    page.write_text(PAGE.replace("old", "new"))
    assert updated(page, table, check=True) == 1
    assert not table.exists()
    table.write_text("| 2 |\n")
    assert updated(page, table, check=True) == 1
    assert table.read_text() == "| 2 |\n"
    assert capsys.readouterr().err.count("run.md does not say what run says; run it") == 2


def test_claims_of_ours_are_not_counted_among_the_studys() -> None:
    claims = [
        {"claim": "T = 5", "ruling": "confirmed"},
        {"claim": "T = 10", "ruling": "refuted"},
        {"claim": "ours, not the study's: gru learns", "ruling": "confirmed"},
    ]
    record = {"experiments": {"palindromes": {"claims": claims}}}
    assert study_short._rulings(record) == "Of the study's 2 claims: 1 confirmed, 1 refuted, 0 not measurable here."


def test_outcomes_are_counted_by_verdict() -> None:
    found = [{"verdict": "same"}, {"verdict": "inconclusive"}, {"verdict": "same"}]
    record = {"experiments": {"points": {"outcomes": [{"findings": found[:1]}, {"findings": found[1:]}]}}}
    assert study_short.outcomes(record).endswith("3 comparisons of final test accuracies between two implementations: "
                                                 "2 *same*, 1 *inconclusive*.")  # fmt: skip


def test_scaling_is_summed_up_in_shares_of_the_ideal() -> None:
    def turn(scaling: str, batch: int, devices: int, seconds: float) -> dict[str, object]:
        about = {"framework": "jax", "workload": "mlp", "scaling": scaling}
        return {**about, "batch": batch, "devices": devices, "seconds_per_step": seconds, "others_before": 0.0}

    turns = [turn("one device", 100, 1, 0.1), turn("strong", 100, 2, 0.1), turn("weak", 200, 2, 0.1)]
    head, _, row = scaling_page.summary({"cores": 2, "turns": turns}).splitlines()
    assert head == "| network | framework | examples/s on 1 | strong, 2 | weak, 2 |"
    assert row == "| mlp | jax | 1,000 | 50% | 100% |"


def test_pairs_are_counted_by_what_they_should_be() -> None:
    def found(wrong: bool, verdict: str, layer: str, cause: str | None) -> dict[str, object]:
        about = {"wrong": wrong, "verdict": verdict, "expected": "conv", "seconds": 2.0}
        return {**about, "first": {"layer": layer, "cause": cause} if wrong else None}

    pairs = {
        "right": found(False, "same", "", None),
        "alarm": found(False, "different", "", None),
        "named": found(True, "different", "conv1", "padding"),
        "elsewhere": found(True, "different", "norm", None),
    }
    lines = public_pairs.page({"pairs": pairs, "about": ""}, "record.json")["pairs"].splitlines()
    assert lines[0] == "- right pairs: 1 of 2 are *same*"
    assert lines[1].startswith(
        "- pairs with a bug: 2 of 2 are *different*, 1 of them at the layer where the bug is; for 1 "
    )
    assert "(../benchmarks/records/record.md)" in lines[2] and lines[2].endswith("A check took 2 to 2 s.")


def test_the_page_on_speed_has_the_headline_and_leads_to_the_rest() -> None:
    sections = [
        Section("short", "In short", "| headline |"),
        Section("targets", "Where it should end", "| targets |"),
        Section("ratios", "Ratios", "What it shows. Grey: equals.\n\n| table |", lambda: None, "What it shows"),  # type: ignore[arg-type,return-value] # is not drawn here
        Section("about", "How it was measured", "- machine"),
    ]
    text = report.short(sections, "place/")
    assert text.startswith("| headline |") and "| targets |" not in text and "| table |" not in text
    assert "[Where it should end](place/README.md#where-it-should-end)" in text
    assert "**Ratios.** What it shows. Grey: equals. ([all of it](place/README.md#ratios))" in text
    assert "![What it shows](place/ratios.svg)" in text
