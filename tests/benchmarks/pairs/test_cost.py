"""What docs/pairs.md says of the cost of a check, and what a process of it measures."""

import json
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch

from benchmarks import RECORDS
from benchmarks.pairs import cost as pair_cost
from benchmarks.pairs.cost_page import GIB, block
from tests.pairs import PAIRS

OLD = RECORDS / "2026-11-24-pair-cost.json"


def test_a_record_of_one_network_is_a_sentence() -> None:
    said = block(json.loads(OLD.read_text()), OLD.name)
    assert "41 s, 44 s with the probes" in said and "take 13.4 s" in said.replace("\n", " ") and OLD.name in said


def test_a_record_of_several_is_a_table_with_ratios_of_time_and_memory() -> None:
    def found(seconds: float, peak: float) -> dict[str, float]:
        return {"parameters": 57_034, "seconds": seconds, "peak bytes": peak * GIB}

    pair = {"plain": found(10.0, 1.0), "check": found(25.0, 1.5), "probes": found(30.0, 2.0)}
    record = {"pairs": {"convnext": pair}, "command": "c", "hardware": {"cores": 2}, "busy": False}
    said = block(record, "new.json")
    assert "| convnext | 57,034 | 10.0 | 25.0 (2.5 ×) | 30.0 (3.0 ×) | 1.00 | 1.50 (1.5 ×) | 2.00 (2.0 ×) |" in said
    assert "CPU" not in said and "busy" not in said and "busy" in block({**record, "busy": True}, "new.json")


def test_seconds_of_processors_have_columns_where_they_were_measured_and_what_was_left_out_has_none() -> None:
    plain = {"parameters": 20_190_298, "seconds": 9.0, "cpu seconds": 10.0, "peak bytes": 2 * GIB}
    pair = {"plain": plain, "check": {**plain, "cpu seconds": 24.0, "peak bytes": 3 * GIB}}
    said = block({"pairs": {"large": pair}, "command": "c", "hardware": {"cores": 2}, "busy": True}, "new.json")
    assert "| large | 20,190,298 | 9.0 | 9.0 (1.0 ×) | – | 10.0 | 24.0 (2.4 ×) | – | 2.00 | 3.00 (1.5 ×) | – |" in said


class Small(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(nn.Conv(5, (1, 1))(x))
        return nn.Dropout(0.1, deterministic=not train)(x).mean((1, 2))


class Public(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = torch.nn.Conv2d(3, 5, 1), torch.nn.BatchNorm2d(5), torch.nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(self.norm(self.conv(x))).mean((2, 3))


def small() -> Any:
    images = np.random.default_rng(0).standard_normal((2, 4, 4, 3)).astype(np.float32)
    return (Small(), Small().init(jax.random.key(0), images)), Public(), images, {"to_torch": "NHWC->NCHW"}


@pytest.mark.parametrize("what", ["plain", "check"])
def test_plain_passes_and_check_are_measured(monkeypatch, tmp_path: Path, what: str) -> None:
    monkeypatch.setitem(PAIRS, "small", small)
    monkeypatch.setattr(pair_cost, "MODES", {"small": "train"})
    assert pair_cost.main(["--one", "small", what, str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["parameters"] == 30 and found["inputs"] == [2, 4, 4, 3]
    assert found["peak bytes"] >= found["made bytes"] > 0 and found["cpu seconds"] > 0
    if what == "check":
        assert found["verdict"] == "same" and found["seconds"] == found["parts"]["total"] > 0
    else:
        assert found["passes"].keys() == {f"{f} {d}" for f in ("flax", "torch") for d in ("float32", "float64")}
        assert found["seconds"] == sum(found["passes"].values()) > 0


def test_a_record_is_never_written_over_and_pairs_have_names(capsys) -> None:
    assert pair_cost.main(["--json", str(OLD)]) == 2
    assert pair_cost.main(["convnext2"]) == 2
    assert "convnext" in capsys.readouterr().err
