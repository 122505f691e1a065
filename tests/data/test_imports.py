import ast
import subprocess
import sys
from pathlib import Path

import parity.data

FRAMEWORKS = {"jax", "flax", "optax", "torch", "torchvision", "jaxnets", "torchnets"}
FOLDER = Path(parity.data.__file__).parent


def imported(source: str) -> set[str]:
    """Top-level names of all imports, those inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_data_import_no_framework():
    files = list(FOLDER.rglob("*.py"))
    assert len(files) > 10
    assert {file.name: found for file in files if (found := imported(file.read_text()) & FRAMEWORKS)} == {}


def test_the_scan_sees_an_import_inside_a_function():
    assert imported("def f():\n    from torch.nn import Linear\n    import jax.numpy as jnp\n") == {"torch", "jax"}


def test_importing_the_package_loads_neither_frameworks_nor_scikit_learn():
    code = "import sys, parity.data, parity.torchvision_; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded and not set(loaded) & (FRAMEWORKS | {"sklearn", "scipy"})
