"""Results as JSON: valid whatever the numbers, and written whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from parity.checks.referee import rule
from parity.checks.verdict import Finding
from parity.errors import UsageError
from parity.report.json_ import FORMAT, write
from tests.checks.made import numbers, stored
from tests.report.made import BAD, UNSURE, WRONG, bad, result


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _written(path: Path) -> Any:
    return json.loads(path.read_text(), parse_constant=_refuse)


def _full(*_: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_all_of_a_result_is_written(tmp_path: Path) -> None:
    write([result("vgg", bad(2, WRONG)), result("moons")], tmp_path / "r.json")
    document = _written(tmp_path / "r.json")
    assert document["format"] == FORMAT
    assert document["verdict"] == ["different", "same"]
    assert document["exit_code"] == 1
    assert document["versions"]["numpy"] == np.__version__
    vgg, moons = document["results"]
    assert (vgg["name"], vgg["verdict"], moons["verdict"]) == ("vgg", "different", "same")
    assert len(vgg["rungs"]) == len(moons["rungs"]) == 8
    rung = vgg["rungs"][1]
    assert (rung["number"], rung["name"], rung["verdict"], rung["layer"]) == (
        2,
        "forward",
        "different",
        "features.0.norm",
    )
    assert rung["headline"]["values"] == {"flax": 1.25, "torch": 1.5}
    assert rung["headline"]["index"] == [3, 5]


def test_numbers_that_json_has_not_are_strings(tmp_path: Path) -> None:
    odd = Finding("output", "a", BAD, float("inf"), {"flax": float("nan")}, (), {"flax": float("-inf"), "torch": 1e308})
    write([result("rnn", bad(2, odd))], tmp_path / "r.json")
    headline = _written(tmp_path / "r.json")["results"][0]["rungs"][1]["headline"]
    assert (headline["share"], headline["bits"]) == ("inf", {"flax": "nan"})
    assert headline["values"] == {"flax": "-inf", "torch": 1e308}


def test_what_the_referee_says_can_be_written(tmp_path: Path) -> None:
    x = numbers(0, 3, 4) / 3
    arrays = (x, x * 1.1, x[:2], x[:0], np.where(x > 0, np.nan, x), 0 * x)
    found = [rule("output", "x", {"flax": stored(x), "torch": stored(other)}) for other in arrays]
    write([result("rnn", *(bad(n, f) for n, f in enumerate(found, start=1)))], tmp_path / "r.json")
    rungs = _written(tmp_path / "r.json")["results"][0]["rungs"]
    assert [rung["verdict"] for rung in rungs[:6]] == [f.verdict for f in found]


def test_nothing_is_inconclusive(tmp_path: Path) -> None:
    write([], tmp_path / "r.json")
    assert _written(tmp_path / "r.json")["exit_code"] == 3


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_file_that_was_there_stays_whole_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "r.json"
    write([result("moons")], target)
    before = target.read_bytes()
    monkeypatch.setattr(step, _full)
    with pytest.raises(UsageError, match="No space left on device"):
        write([result("vgg", bad(2, WRONG))], target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_result_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    write([result("moons"), result("vgg"), result("rnn")], target)
    write([result("mlp")], target)
    assert [r["name"] for r in _written(target)["results"]] == ["mlp"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_put_into_json_leaves_the_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    write([result("moons")], target)
    before = target.read_bytes()
    with pytest.raises(TypeError):
        write([replace(result("vgg"), data=object())], target)  # type: ignore[arg-type] # what must not be there
    assert target.read_bytes() == before
    assert UNSURE not in _written(target)["verdict"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write([result("moons")], tmp_path / "no" / "r.json")
