"""Whatever an image folder or a zip holds, it is read or refused in one line, and nothing lies half-written after."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from parity.data.folder import cache as image_cache
from parity.data.folder.source import load_image_folder
from parity.errors import UsageError
from tests.data.pictures import lay
from tests.fuzz.pictures import FILES, laid, zipped
from tests.fuzz.sealed import Sealed

QUICK, LONG = 150, 10_000
"""Of folders and of zips, each."""
MADE = (laid, zipped)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    load_image_folder(lay(tmp_path_factory.mktemp("first"), FILES), size=8)  # Pillow imports its readers
    with pytest.MonkeyPatch.context() as patch:
        yield Sealed(tmp_path_factory.mktemp("sealed"), patch)


def _made(make: Callable[[Path, np.random.Generator], Path], place: Path, seed: int) -> Path:
    shutil.rmtree(place / "given", ignore_errors=True)
    return make(place, np.random.default_rng(seed))


def _fuzz(sealed: Sealed, make: Callable[[Path, np.random.Generator], Path], seeds: range) -> list[bool]:
    read, kept = [], sealed.root / "cache" / "netparity" / "images"
    for seed in seeds:
        given = _made(make, sealed.root, seed)
        image_cache._latest.clear()
        with sealed.unchanged(sealed.root / "cache"):
            try:
                load_image_folder(given, size=[None, 8][seed % 2])
                read.append(True)
            except UsageError as error:
                assert "\n" not in str(error), f"seed {seed}: more than a line: {error}"
                read.append(False)
            except BaseException as error:
                raise AssertionError(f"{given.name}, seed {seed}: {type(error).__name__}: {error}") from error
        places = list(kept.iterdir()) if kept.exists() else []
        assert len(places) == read[-1], f"seed {seed}: {places}"
        shutil.rmtree(kept, ignore_errors=True)
    return read


@pytest.mark.parametrize("make", MADE)
def test_a_mutated_data_set_is_refused_or_read(sealed: Sealed, make: Callable[..., Path]) -> None:
    read = _fuzz(sealed, make, range(QUICK))
    assert 0.1 < np.mean(read) < 0.9, "mutations of one outcome prove little"


@pytest.mark.slow
@pytest.mark.parametrize("make", MADE)
def test_thousands_of_mutated_data_sets_are_refused_or_read(sealed: Sealed, make: Callable[..., Path]) -> None:
    _fuzz(sealed, make, range(QUICK, QUICK + LONG))


def test_all_formats_are_read_where_nothing_is_changed(sealed: Sealed) -> None:
    given = _made(lambda place, rng: lay(place / "given", FILES), sealed.root, 0)
    assert len(load_image_folder(given).splits["test"].labels) == 2
