"""Files are written whole or not at all."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from parity.errors import UsageError
from parity.files import cache_folder, write_atomically


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("content", "expected"), [(b"\x00\xff", b"\x00\xff"), ("é\n", b"\xc3\xa9\n"), (b"", b"")])
def test_bytes_and_text_are_written_as_they_are(content, expected, tmp_path) -> None:
    path = write_atomically(tmp_path / "out", content)
    assert path == tmp_path / "out" and path.read_bytes() == expected
    assert inside(tmp_path) == ["out"]


def test_a_relative_path_is_taken_from_here(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_atomically("out", "new") == Path("out")
    assert (tmp_path / "out").read_text() == "new"


def test_an_existing_file_is_replaced(tmp_path) -> None:
    (tmp_path / "out").write_text("a much longer old text")
    write_atomically(tmp_path / "out", "new")
    assert (tmp_path / "out").read_text() == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_has_the_mode_of_any_new_file(mask, mode, tmp_path) -> None:
    before = os.umask(mask)
    try:
        path = write_atomically(tmp_path / "out", "new")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_failure_half_way_leaves_the_old_file_and_no_other(step, tmp_path, monkeypatch) -> None:
    def full(*arguments: Any, **keywords: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out").write_text("old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(UsageError, match=r"cannot write .*out: No space left on device; what was there before is unch"):
        write_atomically(tmp_path / "out", "new")
    assert inside(tmp_path) == ["out"] and (tmp_path / "out").read_text() == "old"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    for target, reason in {
        tmp_path / "none" / "out": "No such file or directory",
        tmp_path / "file" / "out": "Not a directory",
        tmp_path / "folder": "Is a directory",
        tmp_path / ("x" * 300): "File name too long",
    }.items():
        with pytest.raises(UsageError) as caught:
            write_atomically(target, "new")
        assert str(caught.value).startswith(f"cannot write {target}: {reason}; ") and "\n" not in str(caught.value)
    assert inside(tmp_path) == ["file", "folder"] and inside(tmp_path / "folder") == []


def test_a_device_or_pipe_is_not_replaced(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        write_atomically(tmp_path / "pipe", "new")
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_is_followed(tmp_path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ("/somewhere/cache", "/somewhere/cache/netparity"),
        ("", "/home/me/.cache/netparity"),
        (None, "/home/me/.cache/netparity"),
    ],
)
def test_the_cache_folder_is_where_the_environment_says(cache, expected, monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if cache is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert cache_folder() == Path(expected)
