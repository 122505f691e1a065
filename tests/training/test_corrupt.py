"""A checkpoint that is damaged, foreign or does not fit is refused in one line, and nothing is lost."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity import weights
from parity.errors import UsageError
from parity.training import begin, checkpoint
from parity.training.checkpoint import file_of, later, latest, load, save
from parity.training.folder import CHECKPOINTS
from tests.training.small import Silent, at, bits, copied, go_on, last, plan, train, twin


@pytest.fixture
def run(whole, tmp_path) -> Path:
    return copied(whole("numpy", "points")[0], tmp_path / "run")


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def flipped(path: Path, position: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def header(path: Path) -> int:
    return 8 + struct.unpack("<Q", path.read_bytes()[:8])[0]


def test_what_is_saved_is_what_is_loaded(tmp_path) -> None:
    session = twin("numpy", "vgg").session(plan("vgg").recipe.optimizer)
    found = load(save(plan("vgg"), "numpy", session.state(), tmp_path))
    assert (found.plan, found.backend, found.state.step) == (plan("vgg"), "numpy", 0)
    assert bits(found.state) == bits(session.state())


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_a_truncated_checkpoint_is_refused_with_the_one_before(keep, run) -> None:
    path = latest(run)
    path.write_bytes(path.read_bytes()[:keep])
    line = refused(path)
    assert f"{path} is damaged" in line and f"--resume {at(run, 15)}" in line


def test_any_flipped_bit_is_refused_with_the_one_before(run) -> None:
    path, rng = latest(run), np.random.default_rng(0)
    whole, data = path.read_bytes(), header(path)
    text = whole[:data].rstrip(b" ")
    places = [*range(12), *rng.integers(12, len(text), 150), *rng.integers(data, len(whole), 30), len(whole) - 1]
    for place in map(int, places):
        flipped(path, place, bit=int(rng.integers(8)))
        line = refused(path)
        assert f"{path} is damaged" in line and f"--resume {at(run, 15)}" in line, place
        path.write_bytes(whole)
    assert load(path).state.step == 17


def test_the_first_checkpoint_has_none_before_it(run) -> None:
    flipped(at(run, 0), -1)
    assert "there is none before it: begin anew" in refused(at(run, 0))


def test_a_damaged_checkpoint_stops_nothing_that_goes_on_from_the_one_before(run, whole) -> None:
    flipped(latest(run), -1)
    assert later(at(run, 15)) == []
    go_on("numpy", at(run, 15), run)
    assert bits(last(run)) == bits(last(whole("numpy", "points")[0]))


def test_the_newest_checkpoint_is_the_one_written_last(tmp_path) -> None:
    train("numpy", plan("points", keep=2), tmp_path)
    session = twin("numpy", "points").session(plan("points").recipe.optimizer)
    save(plan("points", keep=1), "numpy", session.state(), tmp_path / CHECKPOINTS)
    assert checkpoint.files(tmp_path / CHECKPOINTS) == [at(tmp_path, 0)]


def test_going_back_in_the_same_folder_would_lose_what_came_after(run, tmp_path) -> None:
    before = latest(run).read_bytes()
    with pytest.raises(UsageError, match=rf"has gone on to step 17 since {at(run, 9).name}; give --resume {run}, or"):
        go_on("numpy", at(run, 9), run)
    assert latest(run).read_bytes() == before
    go_on("numpy", at(run, 9), tmp_path / "branch")
    assert bits(last(tmp_path / "branch")) == bits(last(run))


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_last_checkpoints_stay(keep, tmp_path) -> None:
    train("numpy", plan("points", keep=keep), tmp_path)
    steps = [checkpoint.step_of(path) for path in checkpoint.files(tmp_path / CHECKPOINTS)]
    assert steps == [12, 15, 17][-keep:]


def test_weights_are_no_checkpoint(tmp_path) -> None:
    weights.save(twin("numpy", "points").weights(), tmp_path / "w.safetensors")
    assert "is no checkpoint of a run" in refused(tmp_path / "w.safetensors")


def test_a_place_without_checkpoints_is_told(tmp_path) -> None:
    with pytest.raises(UsageError, match="holds no checkpoint; name the folder of a run"):
        latest(tmp_path)
    with pytest.raises(UsageError, match="none is not there; name the folder of a run"):
        latest(tmp_path / "none")
    with pytest.raises(UsageError, match=r"cannot read checkpoint .*: No such file"):
        load(file_of(tmp_path, 3))


def test_a_checkpoint_by_itself_belongs_to_no_folder(run, tmp_path, monkeypatch) -> None:
    alone = tmp_path / "elsewhere" / "other" / "mine.safetensors"
    alone.parent.mkdir(parents=True)
    alone.write_bytes(at(run, 9).read_bytes())
    go_on("numpy", alone, tmp_path / "new")
    assert bits(last(tmp_path / "new")) == bits(last(run))
    assert [path.name for path in alone.parent.iterdir()] == [alone.name]


def test_a_relative_checkpoint_finds_its_run(run, monkeypatch) -> None:
    monkeypatch.chdir(run / CHECKPOINTS)
    assert latest(Path(at(run, 9).name)) == at(run, 9)
    assert latest(Path()) == latest(Path("..")) == at(run, 17)


def _changed(run: Path, out: Path, **change) -> None:
    """A sound checkpoint with another content, gone on from."""
    found = load(at(run, 9))
    path = save(found.plan, "numpy", replace(found.state, **change), out.parent)
    go_on("numpy", path, out)


def test_what_does_not_fit_the_network_is_listed_and_nothing_is_written(run, tmp_path) -> None:
    state, out = load(at(run, 9)).state, tmp_path / "new"
    lost = {name: array for name, array in state.weights.items() if name != "layers.1.bias"}
    other = {**state.weights, "layers.0.kernel": state.weights["layers.0.kernel"].T}
    for change, expected in (
        ({"weights": lost}, r"missing layers\.1\.bias \(2,\)"),
        ({"weights": other}, r"layers\.0\.kernel has shape \(20, 2\), expected \(2, 20\)"),
        ({"moments": {"exp_avg": state.moments["exp_avg"]}}, "the optimizer's exp_avg_sq does not fit: missing"),
        ({"moments": {}}, "the optimizer's exp_avg does not fit: missing"),
        ({"moments": {**state.moments, "square_avg": state.moments["exp_avg"]}}, "adam keeps no square_avg"),
    ):
        with pytest.raises(UsageError, match=expected) as caught:
            _changed(run, out, **change)
        assert "step-0000000009.safetensors: " in str(caught.value)
        assert not out.exists()


def test_a_checkpoint_of_another_version_is_told(run, monkeypatch) -> None:
    old = plan("points").to_json()
    del old["recipe"]["augment"], old["keep"]
    monkeypatch.setattr("parity.training.plan.Plan.to_json", lambda self: {**old, "unknown": 1})
    path = save(plan("points"), "numpy", load(at(run, 9)).state, run)
    assert "was written by netparity" in refused(path)


@pytest.mark.parametrize("inner", ["file.txt", "metrics.jsonl", "checkpoints/x"])
def test_a_folder_that_holds_something_is_not_written_to(inner, tmp_path) -> None:
    (tmp_path / inner).parent.mkdir(exist_ok=True)
    (tmp_path / inner).write_text(json.dumps({"step": 1}))
    with pytest.raises(UsageError, match=f"--out got {tmp_path}, which holds something already"):
        begin(plan("points"), twin("numpy", "points"), Silent(), out=tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(inner).name]


def test_a_file_is_no_folder(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=r"--out got|cannot make"):
            begin(plan("points"), twin("numpy", "points"), Silent(), out=out)
