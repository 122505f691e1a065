"""A report on a pair as JSON: all of it, valid whatever the numbers."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from parity.errors import UsageError
from parity.report.json_ import plain
from parity.report.pair import Report
from parity.report.pair_json import FORMAT, write
from tests.report import made_pair
from tests.report.made_pair import HOSTILE, UNSURE


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _written(report: Report, path: Path) -> Any:
    write(report, path)
    return json.loads(path.read_text(), parse_constant=_refuse)


@pytest.mark.parametrize(
    "report",
    [made_pair.report(12, 3), made_pair.accepted(), made_pair.unruled(), made_pair.empty(), made_pair.hostile()],
    ids=lambda report: report.name[:8],
)
def test_every_field_of_the_report_is_there(report: Report, tmp_path: Path) -> None:
    document = _written(report, tmp_path / "r.json")
    assert document["format"] == FORMAT == "netparity-pair/2"
    assert document["versions"]["numpy"] == np.__version__
    assert {"hardware", "commit"} <= document.keys()
    fields = asdict(report)
    del fields["repro_arrays"]  # bytes, which are a file of their own
    assert {name: document[name] for name in fields} == json.loads(json.dumps(plain(fields)))


def test_the_exit_code_is_that_of_the_verdict(tmp_path: Path) -> None:
    reports = (made_pair.report(), made_pair.report(9, 3), made_pair.unruled(), made_pair.accepted())
    assert [_written(report, tmp_path / "r.json")["exit_code"] for report in reports] == [0, 1, 3, 0]


def test_numbers_that_json_has_not_are_strings(tmp_path: Path) -> None:
    document = _written(made_pair.unruled(), tmp_path / "r.json")
    odd = next(layer for layer in document["layers"] if layer["torch"] == "head")["finding"]
    assert (odd["verdict"], odd["share"], odd["bits"]) == (UNSURE, "inf", {"flax": "nan"})
    diverged = replace(made_pair.report(), losses={"flax": [1.0, float("-inf")], "torch": [1.0, float("nan")]})
    assert _written(diverged, tmp_path / "r.json")["losses"] == {"flax": [1.0, "-inf"], "torch": [1.0, "nan"]}


def test_hostile_names_come_back_as_they_were(tmp_path: Path) -> None:
    document = _written(made_pair.hostile(), tmp_path / "r.json")
    assert document["name"] == HOSTILE
    assert document["layers"][0]["finding"]["reason"] == f"\x1b[31m{HOSTILE}\ud800"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write(made_pair.report(), tmp_path / "no" / "r.json")
