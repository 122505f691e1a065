"""Scaling: what a round goes through, and the table of a record made by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scaling import measure as scaling
from benchmarks.scaling import page as scaling_page
from benchmarks.speed.process import launch
from parity.errors import UsageError


def turn(framework: str, scaling: str, batch: int, devices: int, seconds: float) -> dict[str, Any]:
    about = {"framework": framework, "scaling": scaling, "workload": "mlp", "batch": batch, "devices": devices}
    return {**about, "seconds_per_step": seconds, "others_before": 0.25 * devices}


TURNS = [
    turn("jax", "one device", 100, 1, 0.1),
    turn("jax", "one device", 100, 1, 0.2),
    turn("jax", "one device", 100, 1, 0.1),
    *(turn("jax", "strong", 100, 4, 0.1) for _ in range(3)),
    *(turn("jax", "weak", 400, 4, 0.25) for _ in range(3)),
]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "scaling.json"
    path.write_text(json.dumps({"command": "…", "cores": 2, "turns": TURNS}))
    return path


def test_the_ideal_is_what_as_many_cores_do_alone(record: Path) -> None:
    one, four = scaling_page.table(scaling_page.read(record)).splitlines()[2:]
    assert one == "| mlp | jax | 1 | 1 | 100 | 1,000 (500 to 1,000) | 100% | 100 | 1,000 (500 to 1,000) | 100% |"
    assert four == "| mlp | jax | 4 | 2 | 100 | 1,000 (1,000 to 1,000) | 50% | 400 | 1,600 (1,600 to 1,600) | 80% |"


def test_the_block_says_how_it_was_measured(record: Path) -> None:
    text = scaling_page.made(record)["scaling"]
    assert "Medians and extremes of 3 turns" in text
    assert "2 cores. Just before a turn others kept 1.00 cores busy at the median, 1.00 at most." in text


def test_a_record_without_one_device_is_refused(record: Path) -> None:
    record.write_text(json.dumps({"command": "…", "cores": 2, "turns": TURNS[3:]}))
    with pytest.raises(UsageError, match="has no turn of mlp on one device in jax; make it anew"):
        scaling_page.read(record)


def test_a_round_has_every_case_once_and_its_batches_part_evenly() -> None:
    found = list(scaling.cases())
    assert len({json.dumps(case) for case in found}) == len(found) == 28
    assert all(case["batch"] % case["devices"] == 0 for case in found)
    assert {c["batch"] for c in found if c["scaling"] == "weak" and c["devices"] == 8} == {1024, 256}


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_steps_on_two_devices_are_timed(framework: str, tmp_path: Path) -> None:
    job = {"framework": framework, "workload": "points:batch=80", "devices": 2, "steps": 3}
    out = tmp_path / "out.json"
    assert launch(["benchmarks.scaling.worker", json.dumps(job), str(out)], out, {})["seconds_per_step"] > 0
