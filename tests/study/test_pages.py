"""What the pages say of the study is what its record says."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.pages import study as study_pages
from parity.checks.claims import Ruling
from parity.study import beyond, circles, figures, points, record
from parity.study.figures import FIGURES
from parity.study.images import claims as image_claims

RECORD = json.loads((study_pages.newest() / record.RECORD).read_text())
RESULTS = {name: entry["results"] for name, entry in RECORD["experiments"].items()}


def test_the_pages_are_those_of_the_record() -> None:
    assert study_pages.main(["--check"]) == 0


def test_a_page_that_says_another_figure_is_noticed(tmp_path: Path, monkeypatch, capsys) -> None:
    page, written = tmp_path / "study.md", (study_pages.ROOT / "docs" / "study.md").read_text()
    page.write_text(written.replace("**refuted**", "**confirmed**", 1))
    monkeypatch.setattr(study_pages, "PAGES", (page,))
    assert study_pages.main(["--check"]) == 1
    assert "study.md does not say" in capsys.readouterr().err
    assert study_pages.main([]) == 0
    assert page.read_text() == written


def test_every_experiment_is_on_record_with_its_figures() -> None:
    assert RECORD["scale"] == "full"
    assert RECORD["experiments"].keys() == FIGURES.keys()
    for name, entry in RECORD["experiments"].items():
        drawn = [figure for figure in FIGURES[name] if figure != "train-minus-test" or "gaps" in entry["results"]]
        assert entry["figures"] == [f"{figure}.{suffix}" for figure in drawn for suffix in ("png", "svg")]
        assert all((study_pages.newest() / file).is_file() for file in entry["figures"])


def test_every_claim_has_a_ruling_and_a_figure_or_a_reason() -> None:
    claims = [claim for entry in RECORD["experiments"].values() for claim in entry["claims"]]
    assert len(claims) >= 40
    for claim in claims:
        assert claim["ruling"] in list(Ruling)
        assert claim["why"] if claim["ruling"] == Ruling.NOT_MEASURABLE else claim["measured"] != "–", claim


def test_rulings_follow_from_the_results_on_record() -> None:
    derived = {
        "points": list(points._claims(RESULTS["points"]["curves"])),
        "circles": list(circles._claims(RESULTS["circles"])),
        "beyond": list(beyond._claims(RESULTS["beyond"], whole=True)),
    }
    if "studied" in RESULTS["images"]:  # a record from before the study's images were to be had says less of them
        derived["images"] = list(image_claims.judged(RESULTS["images"]))
    for name, claims in derived.items():
        assert [asdict(claim) for claim in claims] == RECORD["experiments"][name]["claims"], name


def test_other_results_are_ruled_otherwise() -> None:
    worse = json.loads(json.dumps(RESULTS["points"]["curves"]))
    worse["moons"]["torch"]["default"]["test"]["final"] = [0.6] * 10
    changed = {claim.claim for claim in points._claims(worse) if claim.ruling is Ruling.REFUTED}
    assert "moons: about 85% on test in PyTorch" in changed


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_drawn_from_the_record_alone_and_always_the_same(tmp_path: Path, suffix: str) -> None:
    results = RECORD["experiments"]["circles"]["results"]
    names = figures.write("circles", results, tmp_path)
    first = {name: (tmp_path / name).read_bytes() for name in names if name.endswith(suffix)}
    figures.write("circles", results, tmp_path)
    assert first == {name: (tmp_path / name).read_bytes() for name in first} != {}
