"""A disk that is full ends the run in one line; what was kept before is whole, and the run goes on from it."""

import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from parity.cli.main import main
from parity.errors import UsageError
from parity.training import checkpoint
from parity.training.folder import CHECKPOINTS, METRICS
from parity.training.journal import Journal, read
from tests.training.small import bits, last, timeless

NEW = ("train", "moons", "--backend=numpy", "--steps=60", "--evaluate-every=2", "--seed=3")


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """The kernel lets no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main([*NEW, f"--out={out}"]) == 0
    return out


def require_goes_on(run: Path, undisturbed: Path) -> None:
    assert main(["train", "moons", "--backend=numpy", f"--resume={run}"]) == 0
    assert bits(last(run)) == bits(last(undisturbed))
    assert timeless(read(run / METRICS)) == timeless(read(undisturbed / METRICS))


def refused(capsys, *argv: str) -> str:
    """The one line of a run that cannot be written."""
    capsys.readouterr()
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1, said.err
    return said.err


def test_metrics_that_the_kernel_refuses(tmp_path, capsys, undisturbed) -> None:
    size = checkpoint.latest(undisturbed).stat().st_size
    assert size + 100 < (undisturbed / METRICS).stat().st_size
    with at_most(size + 100):
        line = refused(capsys, *NEW, f"--out={tmp_path}")
    assert f"cannot write {tmp_path / METRICS}: File too large" in line and "--resume" in line
    assert 0 < last(tmp_path).step < 60
    require_goes_on(tmp_path, undisturbed)


def test_a_checkpoint_that_the_kernel_refuses(tmp_path, capsys, undisturbed) -> None:
    assert main([*NEW, f"--out={tmp_path}", "--keep=5"]) == 0
    for path in checkpoint.files(tmp_path / CHECKPOINTS)[-3:]:
        path.unlink()
    before = checkpoint.files(tmp_path / CHECKPOINTS)
    (tmp_path / METRICS).write_text("")
    with at_most(before[-1].stat().st_size - 1):
        line = refused(capsys, "train", "moons", "--backend=numpy", f"--resume={tmp_path}")
    assert "cannot write" in line and ".safetensors: File too large; what was there before is unchanged" in line
    assert checkpoint.files(tmp_path / CHECKPOINTS) == before and not list(tmp_path.rglob("*.tmp"))
    assert all(checkpoint.load(path) for path in before)
    assert main(["train", "moons", "--backend=numpy", f"--resume={tmp_path}"]) == 0
    assert bits(last(tmp_path)) == bits(last(undisturbed))


@pytest.mark.parametrize("call", range(1, 9))
def test_a_disk_that_is_full_at_any_sync(call, tmp_path, capsys, undisturbed, monkeypatch) -> None:
    calls, right = [0], os.fsync

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        right(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    line = refused(capsys, *NEW, f"--out={tmp_path}")
    assert "No space left on device" in line
    monkeypatch.undo()
    if not checkpoint.files(tmp_path / CHECKPOINTS):
        assert main([*NEW, f"--out={tmp_path}"]) == 0
    require_goes_on(tmp_path, undisturbed)


def test_a_full_device() -> None:
    lines = Journal(None, [])
    lines._path, lines._file = Path("/dev/full"), Path("/dev/full").open("a")  # noqa: SIM115 - the journal closes it
    with pytest.raises(UsageError, match=r"cannot write /dev/full: No space left on device; .*--resume"), lines:
        lines.append({"step": 1})


def test_what_is_left_of_a_half_written_line_is_no_line(tmp_path) -> None:
    line = {"kind": "evaluation", "step": 1, "epoch": None, "split": "test", "loss": 0.5, "accuracy": 1, "samples": 2}
    whole = json.dumps(line).encode() + b"\n"
    (tmp_path / METRICS).write_bytes(2 * whole + whole[:20] + b"\xff")
    assert read(tmp_path / METRICS) == [line, line]
    (tmp_path / METRICS).write_bytes(whole[:20] + b"\n" + whole)
    with pytest.raises(UsageError, match=r"line 1 is not JSON .*; mend it, or delete the file"):
        read(tmp_path / METRICS)
    assert read(tmp_path / "none") == []
