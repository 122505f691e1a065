"""A report on a pair as Markdown: what a job's summary shows, and that names stay names."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from parity.errors import UsageError
from parity.report.markdown import MOST, escaped, text, write
from parity.report.records import Coverage
from tests.report import made_pair
from tests.report.made_pair import HOSTILE, PADDING


def _html(source: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(source)


def _tables(source: str) -> list[list[str]]:
    """The cells of every row, as a reader of Markdown sees them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    cells = [after.content for token, after in pairwise(tokens) if token.type == "td_open"]
    widths = [sum(t.type == "td_open" for t in tokens[i:]) for i, t in enumerate(tokens) if t.type == "tr_open"]
    starts = [len(cells) - width for width in widths]
    return [cells[a:b] for a, b in zip(starts, [*starts[1:], len(cells)], strict=True) if b > a]


def test_the_verdict_comes_first_then_the_first_difference() -> None:
    report = made_pair.report(12, 4)
    lines = text(report).splitlines()
    assert lines[0] == "## ≠ resnet18: different"
    assert lines[2].startswith("The two networks are not the same function. ")
    assert lines[4] == "### First difference: forward"
    assert report.first_difference is not None
    assert lines[6] == report.first_difference.text
    assert "- Flax layer: ResidualBlock\\_0/Conv\\_1" in lines
    assert f"- cause: {PADDING.text}" in lines


def test_every_rung_has_a_row_also_those_that_did_not_run() -> None:
    rows = _tables(text(made_pair.unruled()))
    assert [row[:3] for row in rows[:6]] == [
        ["1", "structure", "= same"],
        ["2", "forward", "? inconclusive"],
        ["3", "gradients", "= same"],
        ["4", "state", "– not run"],
        ["5", "update", "– not run"],
        ["6", "trajectory", "– not run"],
    ]
    assert rows[5][3] == "no optimizers were given"


def test_the_seed_the_device_the_inputs_and_the_mode_are_told() -> None:
    assert "seed 7 · device cpu · input \\['x'\\] float32 (2, 64, 64, 3)" in text(made_pair.report())
    assert "- mode: evaluation" in text(made_pair.report(9, 3)).splitlines()
    assert "seed" not in text(made_pair.empty())


def test_an_accepted_convention_is_told_beside_its_rung() -> None:
    shown = text(made_pair.accepted())
    assert "| 4 | state | ≠ different (accepted: running\\_var\\_bias) |" in shown
    assert "(accepted" not in text(made_pair.accepted(agreed=False))
    assert _tables(shown)[-1][2:] == ["4", "yes", "yes"]


def test_coverage_never_says_all_where_it_is_not_all() -> None:
    shown = text(replace(made_pair.report(), coverage=Coverage(0.99999, 1.0, ["a"] * (MOST + 3))))
    assert "- parameters mapped: 99.9 %" in shown
    assert "- layers compared: 100 %" in shown
    lines = len(made_pair.report().weights)
    assert f"- arrays of the map proven: {lines - 1} of {lines}" in shown
    assert shown.count("a, a") and "a and 3 more" in shown


def test_lints_have_a_table_and_a_limit() -> None:
    shown = text(replace(made_pair.report(), lints=[PADDING] * (MOST + 2)))
    assert shown.count(PADDING.setting) == MOST
    assert "and 2 more" in shown
    assert "Settings that differ" not in text(made_pair.report())


def test_nothing_at_all_can_be_shown() -> None:
    assert text(made_pair.empty()).startswith("## ? nothing: inconclusive\n")
    assert "Nothing was compared" in text(made_pair.empty())


@pytest.mark.parametrize(
    "words", [HOSTILE, "a|b", "a\nb\n\n# c", "`a` | `b`", "_a_ *b* [c](d) ![e](f) ~~g~~", "a\\|b", "&lt;"]
)
def test_words_stay_words(words: str) -> None:
    rendered = _html(f"| a | b |\n| --- | --- |\n| {escaped(words)} | end |\n")
    start, end = rendered.index("<tbody>"), rendered.index("</tbody>")
    assert not set("<>\n") & set(escaped(words))
    assert rendered[start:end].count("<") == 7, "a row of two cells and nothing else"
    assert _tables(f"| a | b |\n| --- | --- |\n| {escaped(words)} | end |\n")[0][1] == "end"


def test_unescaped_words_would_not() -> None:
    rendered = _html(f"| a | b |\n| --- | --- |\n| {HOSTILE} | end |\n")
    assert "<img" in rendered


def test_hostile_names_stay_text_everywhere() -> None:
    rendered = _html(text(made_pair.hostile()))
    assert "<img" not in rendered
    assert "</script>" not in rendered
    assert {len(row) for row in _tables(text(made_pair.hostile()))} == {4, 5}


def test_it_can_be_written(tmp_path: Path) -> None:
    write(made_pair.hostile(), tmp_path / "r.md")
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == text(made_pair.hostile())
    with pytest.raises(UsageError, match="cannot write"):
        write(made_pair.report(), tmp_path / "no" / "r.md")
