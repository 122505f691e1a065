"""Whatever a file holds, reading it gives one clear error or what it holds: nothing else is raised, nothing is written,
nothing in it is run."""

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import compare, report
from benchmarks import record as records
from parity import weights
from parity.backends.session import TrainingState
from parity.data import cifar10, idx
from parity.errors import UsageError
from parity.pair import mapfile
from parity.pair.match import match
from parity.pair.packing import whole
from parity.pair.unit import Kind, Unit
from parity.recipes import load
from parity.training import checkpoint, journal
from parity.training.plan import make_plan
from tests.data.made import cifar_batch
from tests.fuzz.mutate import mutated, mutated_json

QUICK, LONG = 150, 3000


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Args:
        name: of the file.
        content: a sound one.
        read: reads it, with all that is read of it later.
        change: mutates it.
    """

    name: str
    content: bytes
    read: Callable[[Path], Any]
    change: Callable[[bytes, np.random.Generator], bytes] = mutated


def _weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"a.kernel": rng.standard_normal((3, 2)).astype(np.float32), "a.bias": np.zeros(2, np.float32)}


@cache
def targets(folder: Path) -> Mapping[str, Target]:
    """All kinds, by name."""
    (folder / "run").mkdir()
    weights.save(_weights(), folder / "weights.safetensors")
    plan = make_plan(load("moons"), data="moons", seed=0)
    saved = checkpoint.save(plan, "numpy", TrainingState(_weights(), {}, 1), folder / "run")
    images = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (4, 3, 3)) + bytes(range(36))
    batch = cifar_batch(np.zeros((5, 3072), np.uint8), [0, 1, 2, 3, 4], python2=True)
    lines = "\n".join(json.dumps({"step": i, "loss": 0.5}) for i in range(5)).encode()
    found = (
        Target("weights.safetensors", (folder / "weights.safetensors").read_bytes(), weights.load),
        Target(saved.name, saved.read_bytes(), checkpoint.load),
        Target("images-idx3-ubyte", images, lambda path: idx.parse_idx(path.read_bytes(), path.name)),
        Target("data_batch_1", batch, _cifar),
        Target("metrics.jsonl", lines, journal.read),
        Target("map.json", _map(folder / "map.json"), _read_map, mutated_json),
        Target("run.json", _small_record(), _compare, mutated_json),
    )
    return {one.name.partition(".")[0].partition("-")[0]: one for one in found}


def _cifar(path: Path) -> Any:
    """As if its publisher had signed it: the unpickler alone must hold."""
    return cifar10._read(path, hashlib.md5(path.read_bytes()).hexdigest())


SHAPES: Mapping[str, tuple[int, ...]] = {
    "conv.kernel": (3, 3, 2, 4), "conv.bias": (4,), "dense.kernel": (5, 5), "dense.bias": (5,),
}  # fmt: skip
KINDS: tuple[Kind, ...] = ("conv", "dense")
UNITS = tuple(
    Unit(kind, kind, {role: whole(f"{kind}.{role}") for role in ("kernel", "bias")}, {}, order)
    for order, kind in enumerate(KINDS)
)


def _map(path: Path) -> bytes:
    mapfile.write(match(UNITS, UNITS, SHAPES, SHAPES), path)
    return path.read_bytes()


def _read_map(path: Path) -> Any:
    return mapfile.read(path, UNITS, UNITS, (SHAPES, SHAPES))


def _small_record() -> bytes:
    record = records.load(report.newest())
    kept = {name: part for name, part in record["workloads"].items() if name == "points"}
    return json.dumps({**record, "workloads": kept}).encode()


def _compare(path: Path) -> Any:
    new = records.load(path)
    return compare.text(records.load(report.newest()), new)


NAMES = ("weights", "step", "images", "data_batch_1", "metrics", "map", "run")


def _fuzz(folder: Path, name: str, seeds: range) -> None:
    target = targets(folder)[name]
    place = folder / "mutated" / target.name
    place.parent.mkdir(exist_ok=True)
    for seed in seeds:
        place.write_bytes(target.change(target.content, np.random.default_rng(seed)))
        before = sorted(folder.rglob("*"))
        try:
            target.read(place)
        except UsageError as error:
            assert "\n" not in str(error), f"seed {seed}: more than a line: {error}"
        except BaseException as error:
            raise AssertionError(f"{name}, seed {seed}: {type(error).__name__}: {error}") from error
        assert sorted(folder.rglob("*")) == before, f"seed {seed}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_file_is_read(folder: Path, name: str) -> None:
    target = targets(folder)[name]
    (folder / target.name).write_bytes(target.content)
    target.read(folder / target.name)


@pytest.mark.parametrize("name", NAMES)
def test_a_mutated_file_is_refused_or_read(folder: Path, name: str) -> None:
    _fuzz(folder, name, range(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_mutated_files_are_refused_or_read(folder: Path, name: str) -> None:
    _fuzz(folder, name, range(QUICK, QUICK + LONG))


def test_a_pickle_that_would_run_something_does_not(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({b"data": Evil(), b"labels": [0]}))
    with pytest.raises(UsageError, match="which no array needs"):
        _cifar(path)
    assert not (tmp_path / "ran").exists()
