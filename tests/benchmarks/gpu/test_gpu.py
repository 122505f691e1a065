"""The record of a GPU: its parts, how they run, fail and resume, and its page; without a GPU."""

import argparse
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ROOT
from benchmarks.__main__ import main
from benchmarks.contestants import ENTRIES, workload
from benchmarks.contestants.workload import PRECISIONS
from benchmarks.gpu import machine, page, run, training
from benchmarks.gpu.parts import FULL, GROUPS, LIMIT, OUT, QUICK, Part, parts
from benchmarks.speed import record
from parity import recipes
from parity.errors import UsageError
from parity.training import checkpoint
from tests.command.test_paths import runs

VERSIONS = {"jax": "9.1", "torch": "9.2"}
EVERY = parts(FULL, "gpu", "RUNS", "PLACE")


def small(what: str, **options: Any) -> Part:
    """A part that takes no time."""
    command = ("tests.benchmarks.gpu.small", what, OUT)
    return Part(what, "machine", 1.0, "nothing", command, **options)


def test_every_part_is_short_has_a_name_of_its_own_and_a_module_to_run() -> None:
    names = [part.name for part in EVERY]
    assert len(set(names)) == len(names)
    assert all(part.minutes < LIMIT / 60 for part in EVERY)
    assert all(OUT in part.command and runs(part.command[0]) for part in EVERY)
    assert all(not part.after or names.index(part.after) < names.index(part.name) for part in EVERY)


def test_all_that_can_be_timed_is_asked_for_in_every_precision() -> None:
    timed = {part.name for part in EVERY if part.kind == "speed"}
    wanted = {f"speed-{p}-{w}-{g}" for p in PRECISIONS for w in workload.workloads() for g in GROUPS}
    assert timed == wanted
    assert {name for group in GROUPS.values() for name in group} == set(ENTRIES)
    assert {part.name for part in EVERY if part.kind == "parity"} == {f"parity-{name}" for name in recipes.every()}


def test_the_quick_path_has_every_kind_of_part() -> None:
    assert {part.kind for part in parts(QUICK, "cpu", "RUNS", None)} == {part.kind for part in EVERY}


def test_a_part_is_one_file_and_is_not_made_twice(tmp_path: Path) -> None:
    asked = argparse.Namespace(device="cpu", minutes=None, data_dir=None)
    assert run._make([small("one"), small("three", codes=(0, 3))], tmp_path, asked) == 0
    made = page.read(tmp_path)
    assert made["one"]["result"] == {"what": "one"} and made["three"]["result"] == {"what": "three"}
    assert made["one"]["command"] == "python -m tests.benchmarks.gpu.small one OUT"
    before = (tmp_path / "one.json").read_bytes()
    assert run._make([small("one")], tmp_path, asked) == 0
    assert (tmp_path / "one.json").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"one.json", "three.json"}


def test_a_part_that_fails_leaves_its_words_and_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(device="cpu", minutes=None, data_dir=None)
    wanted = [small("fail"), small("two", after="fail"), small("images", needs_images=True), small("one")]
    assert run._make(wanted, tmp_path, asked) == 1
    said = capsys.readouterr().err
    assert "fail: ended with 1" in said
    assert "two: goes on from fail, which is not there" in said
    assert "images: trains on images: give --data-dir" in said
    assert {path.name for path in tmp_path.iterdir()} == {"fail.failed", "one.json"}
    assert "it is broken" in (tmp_path / "fail.failed").read_text()
    mended = Part("fail", "machine", 1.0, "nothing", ("tests.benchmarks.gpu.small", "one", OUT))
    assert run._make([mended], tmp_path, asked) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"fail.json", "one.json"}


def test_a_part_that_takes_too_long_ends_with_all_that_it_started() -> None:
    ended = run.run_part(small("hang"), limit=8.0)
    assert ended.code is None and ended.result is None
    child = re.search(r"child (\d+)", ended.printed)
    assert child is not None
    until = time.monotonic() + 30  # the system ends it when it gets to it
    while _lives(int(child[1])) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _lives(int(child[1]))


def _lives(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_part_begins_that_would_end_too_late(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run._make([small("one")], tmp_path, argparse.Namespace(device="cpu", minutes=0.5, data_dir=None)) == 0
    assert not list(tmp_path.iterdir())
    assert "1 part left for other 0.5 minutes: run it again" in capsys.readouterr().err


def test_the_list_has_minutes_and_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "machine.json").write_text("{}")
    assert main(["gpu", "--list", "--out", str(tmp_path)]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.split()[:4] == ["machine", "0.5", "min", "there"]
    assert last.startswith(f"{len(EVERY) - 1} of {len(EVERY)} parts are missing, about ")


def test_a_wrong_part_is_told_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu", "--only", "parity-vgh"]) == 2
    assert "parity-vgg" in capsys.readouterr().err


def test_without_a_gpu_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = {"gpus": [{"name": "H9"}], "frameworks": {}, "jax_gpus": 0, "torch_gpus": 1}
    monkeypatch.setattr(run, "run_part", lambda part, limit: run.Ended(0, 1.0, "", seen))
    assert main(["gpu", "--out", str(tmp_path / "record")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("benchmarks: there is no GPU for both frameworks here: nvidia-smi shows H9, jax ")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())
    machine.require({**seen, "jax_gpus": 1}, VERSIONS)
    with pytest.raises(UsageError, match=r"shows no GPU, jax 9\.1 sees 0 and torch 9\.2 sees 0"):
        machine.require({"gpus": [], "jax_gpus": 0, "torch_gpus": 0}, VERSIONS)


def test_the_driver_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver of the test's own: what is passed to it must be what it answers."""
    driver = tmp_path / "nvidia-smi"
    driver.write_text(
        '#!/bin/sh\n[ "$1 $2" = "--query-gpu=name,driver_version,memory.total,power.limit --format=csv,noheader" ] || '
        'exit 6\necho "NVIDIA H9, 570.1, 143771 MiB, 700.00 W"\n'
    )
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    wanted = {"name": "NVIDIA H9", "driver_version": "570.1", "memory.total": "143771 MiB", "power.limit": "700.00 W"}
    assert machine.gpus() == [wanted]
    driver.write_text("#!/bin/sh\necho no devices were found\nexit 6\n")
    assert machine.gpus() == []


def test_a_stretch_begins_a_run_or_goes_on_with_it(tmp_path: Path) -> None:
    asked = {"framework": "jax", "recipe": "vgg", "seed": 4, "steps": None, "epochs": 10, "device": "gpu"}
    arguments = argparse.Namespace(**asked, images="pets.zip", run=str(tmp_path / "run"))
    start = "train vgg --backend jax --device gpu --quiet --epochs 10"
    begun = f"{start} --out {arguments.run} --seed 4 --data folder --data-dir pets.zip"
    assert " ".join(training.words(arguments)) == begun
    place = checkpoint.file_of(tmp_path / "run" / checkpoint.CHECKPOINTS, 20)
    place.parent.mkdir(parents=True)
    assert " ".join(training.words(arguments)) == begun
    place.touch()
    assert " ".join(training.words(arguments)) == f"{start} --resume {arguments.run} --data-dir pets.zip"


def speed_run(found: dict[str, Any]) -> dict[str, Any]:
    """A run of our own loops made of the project's record."""
    vgg = {**found["workloads"]["vgg-32"]}
    vgg["proofs"] = {**vgg["proofs"], "torch-eager": vgg["proofs"]["torch-tuned"]}
    return {**found, "workloads": {"vgg-32": vgg}}


def write(folder: Path, name: str, kind: str, result: Any) -> None:
    about = record.environment("gpu")
    document = {"part": name, "kind": kind, "command": "", "seconds": 1.0, "environment": about, "result": result}
    (folder / f"{name}.json").write_text(json.dumps(document))


def test_the_page_says_what_the_parts_say(tmp_path: Path) -> None:
    from benchmarks.speed.pages import report

    write(tmp_path, "machine", "machine", {"gpus": [{"name": "H9"}], "frameworks": {}, "jax_gpus": 1, "torch_gpus": 1})
    summary = {"comparisons": 41, "share": 2.5, "cause": "", "device": "gpu"}
    rungs = {"1": "same", "2": "different"}
    write(tmp_path, "parity-vgg", "parity", [{"name": "vgg", "verdict": "different", "rungs": rungs, **summary}])
    write(tmp_path, "speed-float32-vgg-32-ours", "speed", speed_run(record.load(report.newest())))
    run_of = {"backend": "jax", "recipe": "vgg", "data": "folder", "seconds": 60.0}
    for number, (seed, steps, accuracy) in enumerate([(0, 10, 0.5), (0, 20, 0.9), (1, 20, 0.8)]):
        result = {**run_of, "seed": seed, "steps": steps, "test": {"accuracy": accuracy}, "joules": 1e4}
        write(tmp_path, f"train-jax-{seed}-{number}", "training", result)
    (tmp_path / "pair-nanogpt.failed").write_text("…")
    text = page.blocks(tmp_path)["gpu-record"]
    assert f"5 of {len(EVERY)} parts are there" in text and "Failed: pair-nanogpt." in text
    assert "- GPU: name H9" in text
    assert "| `vgg` | gpu | different | 2 different | 41 | 2.5 | – |" in text
    assert "| VGG, batch 32 | 341 ± 7 | 212 ± 2 |" in text
    assert "| jax | `vgg` | folder | 2 | 20 | 85.00% (80.00% to 90.00%) | 60 | 15 |" in text
    assert "torch-default" in page.whole(tmp_path)


def test_the_page_of_the_project_says_what_the_record_says_or_that_there_is_none() -> None:
    assert page.main(["--check"]) == 0
    said = (ROOT / "docs" / "gpu.md").read_text()
    assert (page.WITHOUT in said) is (page.newest() is None)
    assert page.blocks(None)["gpu-record"] == page.WITHOUT


@pytest.mark.slow
def test_the_whole_path_goes_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMIT", 1800)
    out = tmp_path / "record"
    words = ["gpu", "--device", "cpu", "--quick", "--out", str(out), "--runs", str(tmp_path / "runs")]
    assert main([*words, "--only", "train-torch-0-1", "--only", "machine"]) == 0
    assert sorted(page.read(out)) == ["machine", "train-torch-0-1"]
    assert main(words) == 0
    made = page.read(out)
    assert sorted(made) == sorted(part.name for part in parts(QUICK, "cpu", "", None))
    assert {report["verdict"] for name in ("parity-moons", "pair-autoencoder") for report in made[name]["result"]} == {
        "same"
    }
    assert [made[f"together-{framework}"]["result"]["verdict"] for framework in ("jax", "torch")] == ["same", "same"]
    assert made["speed-float32-points-ours"]["result"]["workloads"]["points"]["turns"]
    second = made["train-jax-0-2"]["result"]
    assert (second["resumed_at"], second["steps"]) == (20, 40)
    assert "### Training" in page.blocks(out)["gpu-record"]
