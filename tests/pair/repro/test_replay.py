"""The script for a layer of no known kind makes the networks from the user's file and shows the difference on it."""

import runpy
from pathlib import Path

import pytest

import parity
from parity.errors import UsageError
from parity.pair.arrays import target
from parity.report.pair import Report

FILE = """
import flax.linen as nn
import jax
import numpy as np
import torch

x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


class Gated(nn.Module):
    @nn.compact
    def __call__(self, x, *, on=True):
        gate = self.param("gate", nn.initializers.ones, (5,))
        return x * nn.sigmoid(gate * x) SLIP


class Port(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(nn.tanh(Gated()(nn.Dense(5)(x), on=True)))


class TorchGated(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Parameter(torch.ones(5))

    def forward(self, x):
        return x * (self.gate * x).sigmoid()


def pair():
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), TorchGated(), ACTIVATION(), torch.nn.Linear(5, 2))
    return (Port(), Port().init(jax.random.key(0), x)), model, x
"""


def checked(path: Path, slip: str = "", activation: str = "torch.nn.Tanh") -> Report:
    path.write_text(FILE.replace("SLIP", slip).replace("ACTIVATION", activation))
    name = f"{path}:pair"
    return parity.compare(*target.load(name)[:3], checks=parity.Checks(probes=False), name=name)


def exit_code(script: Path) -> int:
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(script), run_name="__main__")
    return int(stopped.value.code or 0)


def test_what_is_computed_between_two_layers_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = checked(tmp_path / "activated.py", activation="torch.nn.Softsign")
    assert report.first_difference is not None and report.first_difference.layer_torch == "input of 3"
    script = tmp_path / "layer.py"
    report.repro(script)
    assert "what='inputs'" in script.read_text() or 'what="inputs"' in script.read_text()
    assert exit_code(script) == 1 and "largest difference in float64" in capsys.readouterr().out
    file = tmp_path / "activated.py"
    file.write_text(file.read_text().replace("Softsign", "Tanh"))  # mended
    assert exit_code(script) == 0
    script.with_suffix(".npz").unlink()
    with pytest.raises(UsageError, match=r"layer\.npz"):
        runpy.run_path(str(script), run_name="__main__")


def test_a_layer_of_no_known_kind_is_shown_alone(tmp_path: Path) -> None:
    report = checked(tmp_path / "gated.py", slip="+ 1e-3")
    script = tmp_path / "layer.py"
    report.repro(script)
    assert exit_code(script) == 1
    file = tmp_path / "gated.py"
    file.write_text(file.read_text().replace("+ 1e-3", ""))
    assert exit_code(script) == 0


def test_without_a_file_that_makes_the_networks_there_is_no_such_script(tmp_path: Path) -> None:
    path = tmp_path / "unnamed.py"
    path.write_text(FILE.replace("SLIP", "+ 1e-3").replace("ACTIVATION", "torch.nn.Tanh"))
    report = parity.compare(*target.load(f"{path}:pair")[:3], checks=parity.Checks(probes=False))
    with pytest.raises(UsageError, match="no single layer of a known kind"):
        report.repro(tmp_path / "layer.py")
