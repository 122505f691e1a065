"""Killed at any moment, a run resumes and ends as one that is not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parity.backends.flax.tracing.quick import QUICK, flags
from parity.cli.main import main
from parity.training import checkpoint
from parity.training.folder import CHECKPOINTS, METRICS
from tests.training.small import bits, last, timeless

KILLS = 15


def inside(run: Path) -> list[str]:
    return sorted(str(path.relative_to(run)) for path in run.rglob("*"))


def metrics(run: Path) -> list[dict]:
    return timeless(json.loads(line) for line in (run / METRICS).read_text().splitlines())


def require_same(killed: Path, whole: Path) -> None:
    assert bits(last(killed)) == bits(last(whole))
    assert metrics(killed) == metrics(whole)
    assert inside(killed) == inside(whole)


def test_killed_many_times_it_ends_as_if_it_had_not_been(tmp_path) -> None:
    arguments = ["train", "moons", "--backend=numpy", "--steps=300", "--checkpoint-every=1", "--seed=3"]
    argv = [sys.executable, "-m", "tests.training.killed", str(KILLS), "0", str(tmp_path / "killed"), *arguments]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    seen = [line.split(" ", 1) for line in found.stdout.splitlines()[:KILLS]]
    hits = {step for step, what in seen if what == "killed"}
    assert len(hits - {"None"}) >= 8, seen  # at different moments within the training
    assert main([*arguments, f"--out={tmp_path / 'whole'}"]) == 0
    require_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize("left", [[], [METRICS], [CHECKPOINTS], [f".{METRICS}.x.tmp"], [METRICS, CHECKPOINTS]])
def test_killed_before_its_first_checkpoint_it_can_be_begun_again(left, tmp_path) -> None:
    for name in left:
        (tmp_path / name).mkdir() if name == CHECKPOINTS else (tmp_path / name).write_text("x" * name.startswith("."))
    if CHECKPOINTS in left:
        (tmp_path / CHECKPOINTS / ".step-0000000000.safetensors.x.tmp").write_text("half")
    assert main(["train", "moons", "--backend=numpy", "--steps=3", f"--out={tmp_path}"]) == 0
    assert not list(tmp_path.rglob("*.tmp"))


def _begun(framework: str, out: Path, *more: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "parity", "train", "moons", f"--backend={framework}", *more]
    environment = {**os.environ, "XLA_FLAGS": flags(QUICK)}  # bit for bit is what one compiler gives
    return subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _killed_in_training(process: subprocess.Popen[bytes], out: Path) -> None:
    """Kill as soon as there is a checkpoint beyond what there was."""
    before = checkpoint.files(out / CHECKPOINTS)[-1:] or [checkpoint.file_of(out / CHECKPOINTS, 0)]
    deadline = time.monotonic() + 120
    while checkpoint.files(out / CHECKPOINTS)[-1:] <= before and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_process_of_either_framework_can_be_resumed(tmp_path) -> None:
    new = ("--steps=3000", "--seed=3", "--checkpoint-every=7")
    outs = {framework: tmp_path / framework for framework in ("jax", "torch")}
    begun = {name: _begun(name, out, f"--out={out}", *new) for name, out in outs.items()}  # side by side
    for name, process in begun.items():
        _killed_in_training(process, outs[name])
    for name, out in outs.items():
        step = checkpoint.step_of(checkpoint.latest(out))
        assert 0 < step < 3000
        stop = f"--steps={step + 9}"
        assert main(["train", "moons", f"--backend={name}", f"--resume={out}", stop]) == 0
        whole = tmp_path / f"whole {name}"
        assert main(["train", "moons", f"--backend={name}", f"--out={whole}", *new[1:], stop]) == 0
        require_same(out, whole)


def test_a_run_that_is_going_on_is_not_disturbed(tmp_path, capsys) -> None:
    process = _begun("numpy", tmp_path, f"--out={tmp_path}", "--steps=100000", "--checkpoint-every=20")
    try:
        while not (tmp_path / METRICS).is_file() or len(checkpoint.files(tmp_path / CHECKPOINTS)) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGSTOP)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert main(["train", "moons", "--backend=numpy", f"--resume={tmp_path}"]) == 2
        assert f"another run is at work in {tmp_path}" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    finally:
        process.kill()
        process.wait()
