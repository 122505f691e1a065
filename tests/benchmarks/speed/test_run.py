"""The command that proves and times, once through."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.speed import derive, record


def test_a_quick_run_proves_times_and_writes_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "records" / "run.json"
    chosen = ["--contestant", "flax-tuned", "--contestant", "torch-default"]
    assert main(["run", "--quick", "--threads", "1", *chosen, "--out", str(out)]) == 0
    found = record.load(out)
    part = found["workloads"]["points"]
    assert {name: proof["verdict"] for name, proof in part["proofs"].items()} == {
        "flax-tuned": "same",
        "torch-default": "same",
    }
    assert [turn["contestant"] for turn in part["turns"]] == ["flax-tuned", "torch-default", "flax-tuned"]
    assert not [turn["error"] for turn in part["turns"] if "error" in turn]
    for turn in part["turns"]:
        assert {"import", "init", "first step"} <= turn["phases"].keys()
        assert all(len(turn[phase]["seconds_per_step"]) == 2 for phase in ("training", "inference", "pipeline"))
    assert derive.noise(found, "points") is not None
    assert "flax-tuned | tuned | same" in capsys.readouterr().out


def test_a_record_that_is_there_is_not_measured_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run.json"
    out.write_text("mine")
    assert main(["run", "--quick", "--out", str(out)]) == 2
    assert "records are not overwritten" in capsys.readouterr().err
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--contestant", "flax-tunde"], "flax-tuned"),
        (["--workload", "vgg"], "vgg-32"),
    ],
)
def test_a_wrong_name_is_told_the_right_ones(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--quick", *arguments]) == 2
    assert said in capsys.readouterr().err
