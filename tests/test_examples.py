"""What is in examples/ runs, and shows what its text says."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from parity.pytest_plugin import Parity

ROOT = Path(__file__).parent.parent


def test_the_notebook_runs_and_shows_both_verdicts(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'netparity[notebook]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'netparity[notebook]'")
    pytest.importorskip("ipykernel", reason="pip install 'netparity[notebook]'")
    notebook = nbformat.read(ROOT / "examples" / "compare.ipynb", as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs")], "outputs are made, not kept"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    frames = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert ["port: different" in frames[0], "port, mended: same" in frames[1]] == [True, True]
    assert [output for output in shown if "image/png" in output.get("data", {})], "no figure was drawn"
    assert "SAME: The two networks are the same function." in shown[-1].text


def run(name: str) -> Any:
    """What the `main` of an example returns."""
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"]()


def test_a_wrong_padding_is_found_and_mended() -> None:
    wrong, mended = run("port_a_cnn")
    assert (wrong.verdict, mended.verdict) == ("different", "same")
    assert wrong.first_difference.layer_torch == "conv"


def test_a_decoder_is_ported() -> None:
    assert run("port_a_decoder").verdict == "same"


def test_another_decay_is_found_by_the_optimizer_alone() -> None:
    other, same = run("compare_training")
    assert (other.verdict, same.verdict) == ("different", "same")
    assert other.first_difference.rung == "update"


def test_weights_are_moved() -> None:
    assert 0 <= run("move_weights") < 1e-5


def test_the_test_for_ci_passes(netparity: Parity) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "in_ci.py"))
    example["test_both_are_the_same_function"](netparity)
    assert netparity.reports[-1].verdict == "same"


def test_every_example_is_run_here() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    source = Path(__file__).read_text(encoding="utf-8")
    assert names == {"port_a_cnn", "port_a_decoder", "compare_training", "move_weights", "in_ci"}
    assert all(f'"{name}' in source for name in names)
