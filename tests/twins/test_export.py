"""Networks as files that run without this package: proven once loaded, and not kept where they are another function."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from parity import recipes
from parity.backends import exported as writing
from parity.backends.exported.apart import run_apart
from parity.checks.verdict import Verdict
from parity.cli.main import main
from parity.errors import UsageError
from parity.twins.export import export

ALL = recipes.zoo_names()
GRAPHNET = recipes.load("graphnet").at_check_size


@pytest.mark.parametrize(
    ("framework", "name"), [("flax", "graphnet"), *(pytest.param("torch", n, marks=pytest.mark.slow) for n in ALL)]
)
def test_a_file_is_the_same_function_once_it_is_loaded_apart(framework: str, name: str, tmp_path: Path) -> None:
    pytest.importorskip("flatbuffers" if framework == "flax" else "torch")
    recipe = recipes.load(name).at_check_size
    if recipe.rollouts:
        pytest.importorskip("gymnasium")
    found = export(recipe, framework, tmp_path / "network")
    assert found.verdict is Verdict.SAME and len(found.findings) == 2
    assert found.path is not None and found.path.stat().st_size == found.size > 4 * (recipe.parameters or 0)


def test_another_function_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = writing.exported

    def without_bias(twin: Any, inputs: Any) -> bytes:
        kept = twin.weights()
        twin.load({**kept, "encode.bias": np.zeros_like(kept["encode.bias"])})
        content = sound(twin, inputs)
        twin.load(kept)
        return content

    monkeypatch.setattr("parity.twins.export.exported", without_bias)
    found = export(GRAPHNET, "torch", tmp_path / "network")
    assert (found.verdict, found.path) == (Verdict.DIFFERENT, None) and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(UsageError, match="the exported file does not run without this package: "):
        run_apart("torch", {"float32": b"nothing"}, [np.zeros((1, 2), np.float32)])


def test_without_flatbuffers_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity.backends.exported.in_jax.find_spec", lambda module: None)
    with pytest.raises(UsageError, match=r"flatbuffers, which is not installed; pip install 'netparity\[export\]'"):
        export(GRAPHNET, "flax", tmp_path / "network")


def test_the_command_writes_a_file_and_says_what_was_ruled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("parity.recipes.load", lambda name: GRAPHNET)
    file = tmp_path / "graphnet.pt2"
    assert main(["export", "graphnet", "--backend", "torch", "--out", str(file), "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"SAME: graphnet in torch, {file}, ") and said.err == ""
    assert torch.export.load(file).module()(torch.ones(2, 36, 7)).shape == (2, 10)
