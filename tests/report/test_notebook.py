"""A report in a notebook: what it shows, that nothing in it runs, its records and its figures."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from parity.checks.referee import MARGIN
from parity.errors import UsageError
from parity.report import pair_terminal
from parity.report.pair import Report
from parity.report.terminal import console
from tests.report import made_pair

MADE = [made_pair.report(12, 3), made_pair.accepted(), made_pair.unruled(), made_pair.empty(), made_pair.hostile()]
by_name = pytest.mark.parametrize("report", MADE, ids=lambda report: report.name[:8])


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@by_name
def test_the_frame_is_small_and_runs_nothing(report: Report) -> None:
    shown = report._repr_html_()
    assert len(shown.encode("utf-8", "surrogatepass")) < 20_000
    ((tag, attributes),) = Tags(shown).tags
    assert (tag, attributes["sandbox"]) == ("iframe", "")
    page = Tags(str(attributes["srcdoc"]))
    assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "embed", "link", "form", "a"}
    assert not [name for _, found in page.tags for name in found if name.startswith("on") or name in ("src", "href")]
    policy = next(found["content"] for _, found in page.tags if found.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert str(report.verdict) in page.text


def test_the_frame_says_what_differs_and_where() -> None:
    page = Tags(html.unescape(re.search(r'srcdoc="([^"]*)"', made_pair.report(12, 3)._repr_html_())[1])).text  # type: ignore[index]
    assert "differs in evaluation though its input agrees" in page and "write padding=((1, 1), (1, 1)) in Flax" in page
    assert "running_var_bias" in html.unescape(made_pair.accepted()._repr_html_())


@by_name
def test_markdown_is_that_of_the_file(report: Report, tmp_path) -> None:
    report.to_markdown(tmp_path / "r.md")
    assert report._repr_markdown_().encode("utf-8", "replace") == (tmp_path / "r.md").read_bytes()


@by_name
def test_as_text_it_is_what_the_terminal_prints(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    out = console()
    out.width = pair_terminal.WIDTH
    pair_terminal.show(out, report)
    assert str(report) == capsys.readouterr().out.rstrip()
    assert len(repr(report)) < 200


@by_name
def test_findings_are_records_with_the_same_keys_and_plain_values(report: Report) -> None:
    found = report.findings
    assert len(found) == sum(len(rung.findings) for rung in report.rungs)
    assert len({tuple(record) for record in found}) <= 1
    plain = (int, str, float, tuple, type(None))
    assert all(type(value) in plain for record in found for value in record.values())


def test_a_record_says_what_its_finding_says() -> None:
    report = made_pair.report(12, 3)
    finding = next(one for one in report.rungs[1].findings if one.values)
    record = next(one for one in report.findings if one["rung"] == 2 and one["name"] == finding.name and one["index"])
    assert record["rung_name"] == "forward" and record["verdict"] == "different"
    assert (record["value_flax"], record["value_torch"]) == tuple(finding.values.values())
    assert (record["error_flax"], record["bits_torch"]) == (finding.errors["flax"], finding.bits["torch"])


def test_gaps_are_drawn_against_depth_with_the_limit() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    report = made_pair.report(12, 3)
    axes = report.plot(axes=figure.Figure().subplots())
    evaluation, training, limit = axes.get_lines()
    in_order = [layer.finding.share for layer in report.layers if layer.mode == "evaluation"]
    assert np.asarray(evaluation.get_ydata()).tolist() == in_order
    assert np.size(training.get_xdata()) == len(in_order)
    assert set(np.asarray(limit.get_ydata())) == {MARGIN} and axes.get_yscale() == "log"
    assert axes.get_title() == "resnet18: different"


def test_losses_are_drawn_for_both_sides() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    report = made_pair.report()
    lines = report.plot("losses", figure.Figure().subplots()).get_lines()
    assert [np.asarray(line.get_ydata()).tolist() for line in lines] == [report.losses["flax"], report.losses["torch"]]


def test_what_cannot_be_drawn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    axes = figure.Figure().subplots()
    with pytest.raises(UsageError, match="give optimizers"):
        replace(made_pair.report(), losses={}).plot("losses", axes)
    with pytest.raises(UsageError, match="no layer was compared"):
        made_pair.empty().plot(axes=axes)
    with pytest.raises(UsageError, match="expected one of gaps, losses"):
        made_pair.report().plot("gap", axes)  # type: ignore[arg-type] # what must not be given
    monkeypatch.setattr("parity.report.notebook.plots.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install 'netparity"):
        made_pair.report().plot()
