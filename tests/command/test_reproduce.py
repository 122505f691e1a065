"""`parity reproduce`, as a person runs it."""

import json
from pathlib import Path

import pytest

from parity.cli.main import main
from parity.cli.study import EXPERIMENTS
from parity.study import record
from parity.study.figures import FIGURES
from tests.command.test_bad_input import _refuse

CHEAP = [name for name in EXPERIMENTS if name not in ("points", "images")]
"""The images are in tests/study/test_images.py; what the points train, the circles train too."""


def test_the_study_at_quick_scale(parity, tmp_path: Path) -> None:
    found = parity("reproduce", *CHEAP, "--scale", "quick", "--out", str(tmp_path / "study"))
    assert found.returncode == 0, found.stderr
    document = json.loads((tmp_path / "study" / record.RECORD).read_text())
    assert [*document["experiments"]] == CHEAP
    assert EXPERIMENTS.keys() == FIGURES.keys()
    circles = document["experiments"]["circles"]
    assert {one["verdict"] for one in circles["results"]["trajectory"].values()} == {"same"}
    assert [claim["ruling"] for claim in circles["claims"][:2]] == ["refuted", "refuted"]
    norms = document["experiments"]["beyond"]["results"]["gradients"]["norms"]
    assert {one["agreement"]["verdict"] for one in norms.values()} == {"same"}
    for entry in document["experiments"].values():
        for name in entry["figures"]:
            assert (tmp_path / "study" / name).stat().st_size > 5_000
    assert "about" in found.stderr and "of training to do" in found.stderr
    assert "hand-written backprop" in found.stdout


def test_a_wrong_word_is_told_with_the_right_ones(capsys) -> None:
    assert "did you mean circles" in _refuse(capsys, "reproduce", "circle")
    assert "quick" in _refuse(capsys, "reproduce", "--scale", "small")


def test_a_folder_of_another_scale_is_not_mixed_up(capsys, tmp_path: Path) -> None:
    (tmp_path / record.RECORD).write_text(json.dumps({"format": record.FORMAT, "scale": "full", "experiments": {}}))
    assert "scale full" in _refuse(capsys, "reproduce", "points", "--scale", "quick", "--out", str(tmp_path))


def test_a_broken_record_is_refused(capsys, tmp_path: Path) -> None:
    (tmp_path / record.RECORD).write_text("{")
    assert "is not JSON" in _refuse(capsys, "reproduce", "points", "--scale", "quick", "--out", str(tmp_path))


def test_without_matplotlib_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("parity.cli.reproduce.find_spec", lambda name: None)
    assert main(["reproduce", "points", "--out", str(tmp_path / "study")]) == 2
    assert "netparity[study]" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()
