"""`parity repair`: a pair of several files is patched in a copy, proven again, and written when that is asked for."""

import json
from pathlib import Path

import pytest

import parity
from parity.cli.main import main
from parity.errors import UsageError

TORCH = """from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(F.softmax(self.first(x), dim=0))  # over the batch
"""
FLAX = """from flax import nnx
import jax

from . import SIZE


class Port(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(4, SIZE, rngs=rngs)
        self.last = nnx.Linear(SIZE, 2, rngs=rngs)

    def __call__(self, x):
        return self.last(jax.nn.softmax(self.first(x)))
"""
PAIR = """import numpy as np
from flax import nnx
from nets import model
from nets.port import Port


def pair():
    return Port(nnx.Rngs(0)), model.Net(), np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets").mkdir()
    for name, text in {"__init__": "SIZE = 6\n", "model": TORCH, "port": FLAX}.items():
        (tmp_path / "nets" / f"{name}.py").write_text(text)
    (tmp_path / "pair.py").write_text(PAIR)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pair_of_several_files_is_repaired(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["repair", "pair.py:pair", "--in-process", "--json", "repair.json", "--no-probes", "-q"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "+        return self.last(F.softmax(self.first(x), dim=-1))  # over the batch" in said or "dim=1" in said
    assert "proven again: yes" in said
    assert (place / "nets" / "model.py").read_text() == TORCH
    record = json.loads((place / "repair.json").read_text())
    assert record["before"] == "different" and record["verdict"] == "same" and record["repaired"]
    assert record["diff"].startswith("--- a/nets/model.py\n+++ b/nets/model.py\n") and record["written"] == []
    assert main([*words, "--write"]) == 0
    assert (place / "nets" / "model.py").read_text() != TORCH and (place / "nets" / "port.py").read_text() == FLAX
    assert main(words) == 0 and "+++" not in capsys.readouterr().out.rpartition("written")[2]
    assert not list((place / "nets").glob("*.tmp"))


def test_bad_words_are_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", "pair.py:nothing"]) == 2
    assert main(["repair", "mlp"]) == 2
    assert "recipes are the project's own" in capsys.readouterr().err
    with pytest.raises(UsageError, match="side got 'jax'"):
        parity.repair("pair.py:pair", side="jax")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="rounds got 0"):
        parity.repair("pair.py:pair", rounds=0)
