"""What the pages say of the study is what its record says."""

import json
from pathlib import Path

import pytest

from benchmarks import study_pages
from parity.checks.claims import Ruling
from parity.study import record
from parity.study.figures import FIGURES

RECORD = json.loads((study_pages.newest() / record.RECORD).read_text())


def test_the_pages_are_those_of_the_record() -> None:
    assert study_pages.main(["--check"]) == 0


def test_a_page_that_says_another_figure_is_noticed(tmp_path: Path, monkeypatch, capsys) -> None:
    page = tmp_path / "README.md"
    page.write_text((study_pages.ROOT / "README.md").read_text().replace("**refuted**", "**confirmed**", 1))
    monkeypatch.setattr(study_pages, "PAGES", (page,))
    assert study_pages.main(["--check"]) == 1
    assert "README.md does not say" in capsys.readouterr().err
    assert study_pages.main([]) == 0
    assert page.read_text() == (study_pages.ROOT / "README.md").read_text()


def test_every_experiment_is_on_record_with_its_figures() -> None:
    assert RECORD["scale"] == "full"
    assert RECORD["experiments"].keys() == FIGURES.keys()
    for name, entry in RECORD["experiments"].items():
        assert entry["figures"] == [f"{figure}.{suffix}" for figure in FIGURES[name] for suffix in ("png", "svg")]
        assert all((study_pages.newest() / file).is_file() for file in entry["figures"])


def test_every_claim_has_a_ruling_and_a_figure_or_a_reason() -> None:
    claims = [claim for entry in RECORD["experiments"].values() for claim in entry["claims"]]
    assert len(claims) >= 40
    for claim in claims:
        assert claim["ruling"] in list(Ruling)
        assert claim["why"] if claim["ruling"] == Ruling.NOT_MEASURABLE else claim["measured"] != "–", claim


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_drawn_from_the_record_alone_and_always_the_same(tmp_path: Path, suffix: str) -> None:
    from parity.study import figures

    results = RECORD["experiments"]["circles"]["results"]
    names = figures.write("circles", results, tmp_path)
    first = {name: (tmp_path / name).read_bytes() for name in names if name.endswith(suffix)}
    figures.write("circles", results, tmp_path)
    assert first == {name: (tmp_path / name).read_bytes() for name in first} != {}
