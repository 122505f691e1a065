from functools import cache
from pathlib import Path

import pytest

from parity.training import Outcome
from tests.training import small


@pytest.fixture(autouse=True, scope="module")
def _made_images():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("parity.data.sets.openers.load_images", small.images)
        yield


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> small.Whole:
    @cache
    def run(framework: str, kind: str, precision: str = "float64") -> tuple[Path, Outcome]:
        out = tmp_path_factory.mktemp("whole") / "run"
        return out, small.train(framework, small.plan(kind, precision), out)

    return run
