"""Files of the user's that are loaded with another text, by whatever imports them."""

import inspect
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity.pair.arrays import target
from parity.pair.arrays.patched import patched


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    before, path = set(sys.modules), list(sys.path)
    package = tmp_path / "patched_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("from . import other\n\n\ndef size():\n    return other.SIZE\n")
    (package / "other.py").write_text("SIZE = 1\n")
    (tmp_path / "patched_pair.py").write_text(
        "from patched_package.inner import size\n\n\ndef pair():\n    return size(), __file__, 0\n"
    )
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith("patched_")]:
        del sys.modules[name]


def test_a_file_deep_in_a_package_is_patched(place: Path) -> None:
    name = f"{place}/patched_pair.py:pair"
    other, pair = place / "patched_package" / "other.py", place / "patched_pair.py"
    with patched({str(other): "SIZE = 7\n"}):
        assert target.load(name)[:2] == (7, str(pair))
        assert sys.modules["patched_package.other"].__file__ == str(other)
    forget()
    assert target.load(name)[0] == 1
    assert other.read_text() == "SIZE = 1\n"


def test_the_file_of_the_pair_itself_is_patched_and_shows_its_patched_lines(place: Path) -> None:
    pair = place / "patched_pair.py"
    text = "def pair():\n    return 3, 4, 5\n"
    with patched({str(pair): text}):
        assert target.load(f"{pair}:pair")[:3] == (3, 4, 5)
        assert inspect.getsource(sys.modules["patched_pair"]) == text
    linecache.checkcache()
    forget()
    assert target.load(f"{pair}:pair")[0] == 1
