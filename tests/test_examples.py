"""The notebook in examples/ runs, and shows what its text says."""

from pathlib import Path

import pytest

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
