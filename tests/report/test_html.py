"""A report on a pair as one HTML file: self-contained, and nothing that a network's author names can break out."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from parity.checks.referee import MARGIN
from parity.errors import UsageError
from parity.report.html import SCRIPTS, embedded, page, payload, write
from parity.report.pair import Report
from tests.report import made_pair
from tests.report.made_pair import HOSTILE

REPORTS = [
    made_pair.report(12, 4),
    made_pair.report(),
    made_pair.accepted(),
    made_pair.unruled(),
    made_pair.empty(),
    made_pair.hostile(),
]
WRITES_HTML = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(")


class _Elements(HTMLParser):
    """Elements as (tag, attributes), and the text of each script and style."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


def _data(source: str) -> Any:
    return json.loads(_Elements(source).texts["application/json"])


def _skeleton(source: str) -> list[str]:
    return [tag for tag, _ in _Elements(source).elements]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name[:8])
def test_the_elements_of_the_file_do_not_depend_on_the_report(report: Report) -> None:
    assert _skeleton(page(report)) == _skeleton(page(made_pair.report(3)))
    assert _skeleton(page(report)).count("script") == 2
    assert "img" not in _skeleton(page(report))


def test_this_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity.report.html.embedded", json.dumps)
    assert "img" in _skeleton(page(made_pair.hostile()))


@pytest.mark.parametrize(
    "text", [HOSTILE, "<!--", "</SCRIPT >", "]]>", "&amp;", "\u2028", "\ud800", "{{SCRIPT}}", "\\u003c"]
)
def test_embedded_strings_come_back_and_cannot_end_the_element(text: str) -> None:
    source = embedded({text: [text]})
    assert not set("<>&") & set(source)
    assert source.isascii()
    assert json.loads(source) == {text: [text]}


def test_what_a_report_says_is_not_taken_for_a_place_in_the_page() -> None:
    data = _data(page(made_pair.hostile()))
    assert data["first"]["mend"] == "{{SCRIPT}} ]]>"
    assert data["name"] == HOSTILE


@pytest.mark.parametrize("report", REPORTS[:2], ids=["different", "same"])
def test_the_file_needs_nothing_else(report: Report) -> None:
    source = page(report)
    assert set(re.findall(r"\w+://[^\s\"'`]+", source)) == {"http://www.w3.org/2000/svg"}
    linked = [
        (tag, key) for tag, attributes in _Elements(source).elements for key in attributes if key in ("src", "href")
    ]
    assert linked == [("a", "href")]
    assert "url(" not in source
    assert "@import" not in source


def test_only_its_own_script_and_style_may_run() -> None:
    found = _Elements(page(made_pair.hostile()))
    policy = next(a["content"] for tag, a in found.elements if tag == "meta" and "http-equiv" in a) or ""
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(found.texts[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_make_text_and_never_html(name: str) -> None:
    source = files("parity.report").joinpath(name).read_text(encoding="utf-8")
    assert [word for word in WRITES_HTML if word in source] == []
    assert "fetch(" not in source


def test_the_verdict_is_in_the_title_and_all_is_there_without_scripts() -> None:
    source = page(made_pair.report(12, 4))
    assert "<title>≠ resnet18: different</title>" in source
    plain = _Elements(source).texts["pre"]
    assert plain.startswith("## ≠ resnet18: different")
    assert "| 6 | trajectory | = same |" in plain


def test_the_page_has_every_layer_weight_and_rung() -> None:
    report = made_pair.report(12, 4)
    data = _data(page(report))
    assert [row[:4] for row in data["layers"]] == [[x.flax, x.torch, x.type, x.mode] for x in report.layers]
    assert [line["torch"] for line in data["weights"]] == [line.torch for line in report.weights]
    assert [rung["number"] for rung in data["rungs"]] == [1, 2, 3, 4, 5, 6]
    assert (data["verdict"], data["exit_code"], data["margin"]) == ("different", 1, MARGIN)
    assert data["environment"]["python"]
    assert data["facts"] == {"seed": "7", "device": "cpu", "input ['x']": "float32 (2, 64, 64, 3)"}


def test_rungs_that_did_not_run_are_there_without_a_verdict() -> None:
    rungs = payload(made_pair.unruled())["rungs"]
    assert [rung.get("verdict") for rung in rungs] == ["same", "inconclusive", "same", None, None, None]
    assert rungs[4]["sentence"] == "no optimizers were given"


def test_layers_findings_are_sent_once() -> None:
    report = made_pair.report(12)
    forward = payload(report)["rungs"][1]
    assert forward["of"] == 2 * 12 + 2
    assert [found[0] for found in forward["findings"]] == ["result", "result"]


def test_numbers_that_json_has_not_are_strings() -> None:
    data = _data(page(replace(made_pair.unruled(), losses={"flax": [float("nan")], "torch": [float("-inf")]})))
    assert data["losses"] == {"flax": ["nan"], "torch": ["-inf"]}
    head = next(row for row in data["layers"] if row[1] == "head")
    assert head[5][4] == "inf"
    assert head[5][7] == ["nan", None]


def test_the_data_of_a_thousand_layers_stay_below_two_megabytes() -> None:
    assert len(page(made_pair.report(1000, 600))) < 2_000_000


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write(made_pair.hostile(), tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page(made_pair.hostile())
    with pytest.raises(UsageError, match="cannot write"):
        write(made_pair.report(), tmp_path / "no" / "r.html")
