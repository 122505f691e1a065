"""Whatever a file holds, reading it gives one clear error or what it holds: nothing else is raised, nothing is written
but to the folder that is read for it, nothing is started or unpickled."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from parity.errors import UsageError
from tests.fuzz import kinds, records
from tests.fuzz.kinds import Target
from tests.fuzz.sealed import Sealed

QUICK, LONG = 12, 3000
DEAR = ("run", "checkpoint, as if signed", "record of speed", "record of growth", "record of waits")
"""Kinds of which few are read in every test run: a run is gone on with, intervals are bootstrapped."""
NAMES = (
    "weights", "checkpoint", "checkpoint, as if signed", "images", "fashion-mnist", "fashion-mnist, as if signed",
    "cifar10, as if signed", "metrics", "summary", "run", "weight map", "saved layers", "record of speed",
    "record of growth", "record of waits", "record of TPUs", "record of pods", "record of scaling",
    "record of pairs", "record of the study",
    "evidence, bugs.json", "evidence, causes.json", "evidence, drawn_repairs.json", "evidence, graded.json",
    "evidence, margins.json", "evidence, mutants.json", "evidence, repairs.json", "evidence, slow.json",
    "evidence, draws",
)  # fmt: skip


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return {**kinds.every(tmp_path_factory.mktemp("sound")), **records.every()}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    with pytest.MonkeyPatch.context() as patch:
        yield Sealed(tmp_path_factory.mktemp("sealed"), patch)


def _written(place: Path, target: Target, content: dict[str, bytes]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    for name, data in {**target.files, **content}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)


def _fuzz(sealed: Sealed, target: Target, seeds: range) -> None:
    place = sealed.root / "given"
    for seed in seeds:
        rng = np.random.default_rng(seed)
        name = sorted(target.changes)[seed % len(target.changes)]
        _written(place, target, {name: target.changes[name](target.files[name], rng)})
        with sealed.unchanged(*([place] if target.writes else [])):
            try:
                target.read(place)
            except UsageError as error:
                assert "\n" not in str(error), f"seed {seed}: more than a line: {error}"
            except BaseException as error:
                raise AssertionError(f"{name}, seed {seed}: {type(error).__name__}: {error}") from error


def test_every_kind_has_its_name(targets: dict[str, Target]) -> None:
    assert sorted(targets) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_file_is_read(sealed: Sealed, targets: dict[str, Target], name: str) -> None:
    _written(sealed.root / "given", targets[name], {})
    targets[name].read(sealed.root / "given")


@pytest.mark.parametrize("name", NAMES)
def test_a_mutated_file_is_refused_or_read(sealed: Sealed, targets: dict[str, Target], name: str) -> None:
    _fuzz(sealed, targets[name], range(QUICK // 4 if name in DEAR else QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_mutated_files_are_refused_or_read(sealed: Sealed, targets: dict[str, Target], name: str) -> None:
    _fuzz(sealed, targets[name], range(QUICK, QUICK + LONG))


@pytest.mark.parametrize("what", ["written", "made", "removed", "started", "unpickled"])
def test_what_is_done_elsewhere_is_seen(sealed: Sealed, what: str) -> None:
    import pickle
    import subprocess
    import sys

    (sealed.cwd / "there").write_text("")
    with pytest.raises(AssertionError, match=r"cwd|Popen|find_class"), sealed.unchanged(sealed.root / "given"):
        match what:
            case "written":
                (sealed.cwd / "new").write_text("")
            case "made":
                (sealed.cwd / "folder").mkdir()
            case "removed":
                (sealed.cwd / "there").unlink()
            case "started":
                subprocess.run([sys.executable, "-c", ""], check=True)
            case "unpickled":
                pickle.loads(pickle.dumps(Path()))
