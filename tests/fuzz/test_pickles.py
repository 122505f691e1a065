"""Bytes that nobody has vouched for are not unpickled, and a pickle runs nothing even if somebody has."""

import ast
import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.data import cifar10
from parity.errors import UsageError
from tests.data.made import cifar_folder
from tests.fuzz.mutate import mutated
from tests.fuzz.sealed import Sealed

ROOT = Path(__file__).parent.parent.parent
QUICK, LONG = 25, 3000
PICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
WORDS = (*PICKLERS, "torch.load", "import load", "allow_pickle")
"""A source without any of these is not parsed, which takes longer than all the rest."""


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    with pytest.MonkeyPatch.context() as patch:
        yield Sealed(tmp_path_factory.mktemp("sealed"), patch)


@pytest.fixture
def unpickled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of all that is unpickled."""
    seen: list[str] = []

    class Seen(cifar10.ArrayUnpickler):
        def __init__(self, file: io.BytesIO, **options: Any) -> None:
            seen.append(hashlib.md5(file.getvalue()).hexdigest())
            super().__init__(file, **options)

    monkeypatch.setattr(cifar10, "ArrayUnpickler", Seen)
    return seen


def _fuzz(sealed: Sealed, unpickled: list[str], seeds: range) -> None:
    folder = sealed.root / "cifar"
    folder.mkdir(exist_ok=True)
    checksums, _ = cifar_folder(folder, count=2)
    assert cifar10.load_cifar10(folder, checksums=checksums).num_classes == 10 and len(unpickled) == 6
    names = sorted(checksums)
    for seed in seeds:
        path = folder / names[seed % len(names)]
        sound = path.read_bytes()
        path.write_bytes(mutated(sound, np.random.default_rng(seed)))
        altered = path.read_bytes() != sound
        unpickled.clear()
        with sealed.unchanged():
            try:
                cifar10.load_cifar10(folder, checksums=checksums)
            except UsageError as error:
                assert "is truncated or altered" in str(error) and "\n" not in str(error), seed
            else:
                assert not altered, seed
        assert set(unpickled) <= set(checksums.values()), seed
        path.write_bytes(sound)


def test_an_altered_file_is_not_unpickled(sealed: Sealed, unpickled: list[str]) -> None:
    _fuzz(sealed, unpickled, range(QUICK))


@pytest.mark.slow
def test_thousands_of_altered_files_are_not_unpickled(sealed: Sealed, unpickled: list[str]) -> None:
    _fuzz(sealed, unpickled, range(QUICK, QUICK + LONG))


class Evil:
    """Calls something when it is unpickled."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


def _within(value: Any, protocol: int = 4) -> bytes:
    return pickle.dumps({b"data": value, b"labels": [0]}, protocol)


def _named(module: str, name: str) -> bytes:
    """A call of `module.name("ran")`, as a pickle of protocol 4 asks for it."""
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"\x80\x04" + texts + b"\x93\x8c\x03ran\x85R."


EVIL: dict[str, Callable[[], bytes]] = {
    "touch": lambda: _within(Evil(Path.touch, Path("ran"))),
    "open": lambda: _within(Evil(open, "ran", "w")),
    "eval": lambda: _within(Evil(eval, "open('ran', 'w')"), 2),
    "import": lambda: _within(Evil(__import__, "this"), 0),
    "getattr": lambda: _within(Evil(getattr, "text", "join")),
    "fromfile": lambda: _within(Evil(np.fromfile, "ran")),
    "loads": lambda: _within(Evil(pickle.loads, _named("os", "mkdir"))),
    "objects": lambda: _within(np.array([Evil(open, "ran", "w")], dtype=object)),
    "system": lambda: b"cposix\nsystem\n(Vtouch ran\ntR.",
    "mkdir": lambda: _named("os", "mkdir"),
    "dotted": lambda: _named("numpy", "ndarray.tofile"),
    "dotted module": lambda: _named("numpy.core.multiarray", "_reconstruct.__self__"),
    "instance": lambda: b"(Vran\nios\nmkdir\n.",
    "persistent": lambda: b"\x80\x04\x8c\x03ranQ.",
    "extension": lambda: b"\x80\x04\x82\x01.",
}


@pytest.mark.parametrize("name", EVIL)
def test_a_pickle_that_would_run_something_does_not(sealed: Sealed, name: str) -> None:
    path = sealed.root / "data_batch_1"
    path.write_bytes(EVIL[name]())
    with sealed.unchanged(), pytest.raises(UsageError, match=r"is no batch of CIFAR-10|its data are"):
        cifar10._read(path, hashlib.md5(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", ["touch", "loads", "mkdir", "instance"])
def test_these_pickles_would_run_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(EVIL[name]())
    assert (tmp_path / "ran").exists()


def unpickling(source: str) -> set[str]:
    """What in a source could unpickle: imported picklers, torch's loader, and NumPy's with allow_pickle."""
    found: set[str] = set()
    if not any(word in source for word in WORDS):
        return found
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names if alias.name.partition(".")[0] in PICKLERS}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module} if module.partition(".")[0] in PICKLERS else set()
                found |= {f"{module}.load" for alias in names if module.startswith("torch") and alias.name == "load"}
            case ast.Attribute(value=ast.Name(id="torch"), attr="load"):
                found.add("torch.load")
            case ast.keyword(arg="allow_pickle", value=value) if not _is_false(value):
                found.add("allow_pickle")
    return found


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def test_nothing_else_can_unpickle() -> None:
    files = [path for top in ("jaxnets", "torchnets", "parity", "benchmarks") for path in (ROOT / top).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): names for path in files if (names := unpickling(path.read_text()))}
    assert found == {"parity/data/cifar10.py": {"pickle"}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pickle", {"pickle"}),
        ("def f():\n    from joblib import load", {"joblib"}),
        ("import shelve as s, json", {"shelve"}),
        ("torch.load(path, weights_only=True)", {"torch.load"}),
        ("from torch import load", {"torch.load"}),
        ("np.load(path, allow_pickle=True)", {"allow_pickle"}),
        ("np.load(path, allow_pickle=flag)", {"allow_pickle"}),
        ("np.load(path, allow_pickle=False)\njson.load(file)\nmodel.load(weights)", set()),
    ],
)
def test_the_scan_for_what_can_unpickle_can_fail(source: str, expected: set[str]) -> None:
    assert unpickling(source) == expected
