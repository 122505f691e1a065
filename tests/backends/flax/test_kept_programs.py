"""Compiled programs are kept whole or not at all, under the names that JAX reads them by."""

from pathlib import Path

import pytest
from jax._src.lru_cache import LRUCache

from parity.backends.flax.tracing import programs


def test_a_program_is_read_as_it_was_kept(tmp_path: Path) -> None:
    cache = LRUCache(str(tmp_path), max_size=-1)
    programs._put(cache, "key", b"program")
    programs._put(cache, "key", b"another")  # what is kept stays
    assert cache.get("key") == b"program"
    assert [path.name for path in tmp_path.iterdir()] == ["key-cache"]


def test_a_process_that_is_stopped_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:3])
        raise KeyboardInterrupt

    cache = LRUCache(str(tmp_path), max_size=-1)
    monkeypatch.setattr(Path, "write_bytes", stopped)
    with pytest.raises(KeyboardInterrupt):
        programs._put(cache, "key", b"program")
    assert cache.get("key") is None
