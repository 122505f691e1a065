"""Who may import whom, and what the house forbids; and that each of these scans can fail."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
JAX = {"jax", "jaxlib", "flax", "optax"}
TORCH = {"torch", "torchvision"}
FRAMEWORKS = JAX | TORCH | {"jaxnets", "torchnets"}
ABOVE = {"parity", "benchmarks", "tests"}
TOLERANCES = {"atol", "rtol"}
WRITTEN = re.compile(r"[<>]=?\s*\d*\.?\d+e-\d+")
"""A comparison with a small number in the text of a script."""
NO_VERDICT = {
    "benchmarks/evidence/mutants.py": "share of the mutants that must have been tried",
    "benchmarks/speed/derive.py": "shares of time",
    "benchmarks/speed/measure.py": "share of a core that others kept busy",
    "benchmarks/speed/pages/table.py": "digits that are shown",
    "benchmarks/speed/worker.py": "seconds of warming up",
    "parity/backends/flax/tracing/places.py": "which of GELU's two forms an equation has",
    "parity/data/augment.py": "probability of a flip",
    "parity/data/noised/digits.py": "probability that a class is withheld",
    "parity/interface/random.py": "a toss of a coin",
    "parity/pair/rungs/probing/inputs.py": "size of inputs that a probe is made of",
    "parity/study/circles.py": "a toss of a coin",
    "parity/study/beyond.py": "size of a gradient that the study calls vanished",
}
"""Files whose comparisons with a fraction decide something else than same or different, and what."""
Scan = Callable[[str], set[str]]


def imported(source: str, package: str = "") -> set[str]:
    """Dotted names of all imports, those inside functions and by importlib too; `package` is where the source is."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            names |= {text for text in _beginning(node.args[0]) if not text.startswith(".")}
    return names


def tops(source: str, package: str = "") -> set[str]:
    """Top-level names of all imports."""
    return {name.partition(".")[0] for name in imported(source, package)}


def beyond_the_standard_library(source: str, package: str = "") -> set[str]:
    """Imports of a recipe that are neither standard library nor the two of ours that it may use."""
    ours = ("parity.errors", "parity.recipes")
    names = {name for name in imported(source, package) if name.partition(".")[0] not in sys.stdlib_module_names}
    return {name for name in names if not any(name == own or name.startswith(f"{own}.") for own in ours)}


def tolerances(source: str) -> set[str]:
    """Names of tolerances that are given as a number: arguments, defaults, variables and dictionary keys."""
    return {name for name, value in _named_values(ast.parse(source)) if name.lower() in TOLERANCES and _number(value)}


def deciding(source: str) -> set[str]:
    """Comparisons with a fraction that is written out, here, in a constant of the file, or in a script that it makes.

    Zero, one and whole numbers are no tolerances; neither are fractions in words.
    """
    tree = ast.parse(source)
    constants = {name for name, value in _named_values(tree) if name.isupper() and _fraction(value)}
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and _orders(node)]
    found = {ast.unparse(node) for node in compared if any(_is_tolerance(side, constants) for side in _sides(node))}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return found | {match[0] for text in texts for match in WRITTEN.finditer(text)}


def in_place(source: str) -> set[str]:
    """In-place tensor operations: methods with a trailing underscore, and inplace=True."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    methods = {name for call in calls if isinstance(call.func, ast.Attribute) and _trails(name := call.func.attr)}
    flags = [keyword for call in calls for keyword in call.keywords if keyword.arg == "inplace"]
    return methods | {
        "inplace" for flag in flags if not (isinstance(flag.value, ast.Constant) and not flag.value.value)
    }


def _orders(node: ast.Compare) -> bool:
    return any(isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for operator in node.ops)


def _sides(node: ast.Compare) -> list[ast.expr]:
    return [node.left, *node.comparators]


def _is_tolerance(side: ast.expr, constants: set[str]) -> bool:
    return any(_fraction(part) or getattr(part, "id", "") in constants for part in ast.walk(side))


def _fraction(value: ast.AST | None) -> bool:
    """Whether an expression is a number that is written out and is not a whole one."""
    if not isinstance(value, ast.expr) or not _all_numbers(value):
        return False
    number = eval(compile(ast.Expression(value), "", "eval"))  # of numbers and signs alone
    return isinstance(number, float) and number != int(number)


def _all_numbers(value: ast.expr) -> bool:
    if isinstance(value, ast.UnaryOp | ast.BinOp):
        return all(_all_numbers(part) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _beginning(argument: ast.expr) -> Iterator[str]:
    """The text that an argument begins with, if it is written out."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value


def _trails(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _named_values(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=str(name), value=value):
                yield name, value
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.Dict(keys=keys, values=values):
                for key, item in zip(keys, values, strict=True):
                    yield str(getattr(key, "value", "")), item
            case ast.arguments(posonlyargs=first, args=then, defaults=defaults):
                yield from zip([a.arg for a in [*first, *then]][::-1], defaults[::-1], strict=False)
                yield from zip([a.arg for a in node.kwonlyargs], node.kw_defaults, strict=True)


def _number(value: ast.expr | None) -> bool:
    if isinstance(value, ast.UnaryOp | ast.BinOp):
        return any(_number(part) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float)


def _files(*folders: str, but: tuple[str, ...] = ()) -> list[Path]:
    """All Python files of the folders (or files) under ROOT, without those beneath `but`; there must be some."""
    given = [ROOT / folder for folder in folders]
    files = [file for path in given for file in (path.rglob("*.py") if path.is_dir() else [path])]
    kept = [file for file in files if not any(file.is_relative_to(ROOT / other) for other in but)]
    assert kept, f"no Python files in {folders}"
    return kept


def _package(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).parent.parts)


def _guilty(files: list[Path], forbidden: set[str]) -> dict[str, set[str]]:
    """File → what it imports of what is forbidden."""
    found = {str(file.relative_to(ROOT)): tops(file.read_text(), _package(file)) & forbidden for file in files}
    return {file: names for file, names in found.items() if names}


def _marked(files: list[Path], scan: Scan) -> dict[str, set[str]]:
    return {str(file.relative_to(ROOT)): found for file in files if (found := scan(file.read_text()))}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("jaxnets", TORCH | ABOVE | {"torchnets"}),
        ("torchnets", JAX | ABOVE | {"jaxnets"}),
        ("parity", {"benchmarks", "tests"}),
        ("parity/checks", FRAMEWORKS),
        ("parity/data", FRAMEWORKS),
        ("parity/reference", FRAMEWORKS),
        ("parity/recipes", FRAMEWORKS | {"numpy"}),
        ("parity/report", FRAMEWORKS),
    ],
)
def test_a_part_does_not_import_what_it_must_not(folder: str, forbidden: set[str]) -> None:
    assert _guilty(_files(folder), forbidden) == {}


def test_only_backends_and_bugs_import_frameworks() -> None:
    apart = ("parity/backends", "parity/bugs", "parity/torchvision_.py")
    assert _guilty(_files("parity", but=apart), FRAMEWORKS) == {}
    assert _guilty(_files("parity/torchvision_.py"), FRAMEWORKS - TORCH) == {}
    assert _guilty(_files("parity/backends"), FRAMEWORKS)  # the scan sees those that do


def test_recipes_need_the_standard_library_only() -> None:
    found = {
        file.name: beyond_the_standard_library(file.read_text(), _package(file)) for file in _files("parity/recipes")
    }
    assert {name: names for name, names in found.items() if names} == {}


def test_no_tolerance_is_a_number_outside_the_checks() -> None:
    files = _files("jaxnets", "torchnets", "parity", "benchmarks", but=("parity/checks",))
    assert _marked(files, tolerances) == {}


def test_no_fraction_outside_the_checks_decides_between_same_and_different() -> None:
    files = _files("jaxnets", "torchnets", "parity", "benchmarks", but=("parity/checks",))
    marked = _marked(files, deciding)
    assert {file: what for file, what in marked.items() if file not in NO_VERDICT} == {}
    assert marked.keys() >= NO_VERDICT.keys(), "a file that is excused has nothing to excuse"


def test_networks_in_torch_change_nothing_in_place() -> None:
    assert _marked(_files("torchnets"), in_place) == {}


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        ("parity", FRAMEWORKS),
        ("parity.cli.main", FRAMEWORKS),
        ("parity.checks.ladder, parity.checks.initialisation, parity.recipes, parity.reference", FRAMEWORKS),
        ("parity.data, parity.torchvision_", FRAMEWORKS | {"sklearn", "scipy"}),
        ("parity.pair.api", FRAMEWORKS | {"scipy"}),
    ],
)
def test_importing_loads_no_framework(modules: str, forbidden: set[str]) -> None:
    code = f"import sys, {modules}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "parity" in run.stdout.split()
    assert set(run.stdout.split()) & forbidden == set()


def test_importing_a_backend_is_seen() -> None:
    code = "import sys, parity.backends.torch.twin; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == ["True"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch", {"torch"}),
        ("import numpy as np, jax.numpy as jnp", {"numpy", "jax.numpy"}),
        ("from torch.nn import Linear, functional", {"torch.nn.Linear", "torch.nn.functional"}),
        ("def f():\n    class A:\n        from flax import nnx", {"flax.nnx"}),
        ("if TYPE_CHECKING:\n    import optax", {"optax"}),
        ("try:\n    import torchvision\nexcept ImportError:\n    pass", {"torchvision"}),
        ("import_module('jax.numpy')", {"jax.numpy"}),
        ("importlib.import_module('torchnets')", {"torchnets"}),
        ("import_module(f'parity.bugs.{side}_')", {"parity.bugs."}),
        ("__import__('torch')", {"torch"}),
        ("import_module(name)", set()),
        ("from . import vgg", {"parity.data.vgg"}),
        ("from ..checks import referee", {"parity.checks.referee"}),
        ("from .. import weights", {"parity.weights"}),
        ("text = 'import torch'  # import jax", set()),
    ],
)
def test_the_scan_sees_every_kind_of_import(source: str, expected: set[str]) -> None:
    assert imported(source, "parity.data") == expected


def test_a_forbidden_import_is_reported_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jaxnets").mkdir()
    (tmp_path / "jaxnets" / "good.py").write_text("import jax\n")
    (tmp_path / "jaxnets" / "bad.py").write_text("def f():\n    import torch\n    from parity import weights\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert _guilty(_files("jaxnets"), TORCH | ABOVE) == {"jaxnets/bad.py": {"torch", "parity"}}
    assert _guilty(_files("jaxnets", but=("jaxnets/bad.py",)), TORCH | ABOVE) == {}
    with pytest.raises(AssertionError, match="no Python files"):
        _files("jaxnets", but=("jaxnets",))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json, os.path\nfrom collections.abc import Mapping", set()),
        ("from parity.recipes.spec import Recipe\nfrom parity.errors import unknown_name", set()),
        ("from .spec import Recipe", set()),
        ("import numpy as np", {"numpy"}),
        ("from parity.weights import Kind", {"parity.weights.Kind"}),
        ("from parity import weights", {"parity.weights"}),
        ("import parity", {"parity"}),
        ("import parity.recipes_of_others", {"parity.recipes_of_others"}),
    ],
)
def test_the_scan_of_recipes_can_fail(source: str, expected: set[str]) -> None:
    assert beyond_the_standard_library(source, "parity.recipes") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("np.allclose(a, b, atol=1e-5)", {"atol"}),
        ("np.allclose(a, b, rtol=-2 * 1e-5, atol=0)", {"rtol", "atol"}),
        ("ATOL = 1e-5", {"ATOL"}),
        ("rtol: float = 1e-5", {"rtol"}),
        ("CLOSE = {'atol': 1e-5, **rest}", {"atol"}),
        ("def close(a, b, atol=1e-5): pass", {"atol"}),
        ("def close(a, /, b, rtol=1e-5, *, atol=1e-5): pass", {"atol", "rtol"}),
        ("np.allclose(a, b, atol=limit)", set()),
        ("eps = 1e-5\nf(eps=1e-5)\ndef g(a, atol): pass", set()),
    ],
)
def test_the_scan_of_tolerances_can_fail(source: str, expected: set[str]) -> None:
    assert tolerances(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("same = gap < 1e-9", {"gap < 1e-09"}),
        ("same = gap <= 3 * 1e-9 * size", {"gap <= 3 * 1e-09 * size"}),
        ("same = 1e-6 > abs(a - b).max()", {"1e-06 > abs(a - b).max()"}),
        ("CLOSE = 1e-9\ndef f(gap):\n    return gap < CLOSE", {"gap < CLOSE"}),
        ("SCRIPT = 'raise SystemExit(int(gap > 1e-9 * size))'", {"> 1e-9"}),
        ("SCRIPT = f'exit(gap <= 1.5e-06 * {size})'", {"<= 1.5e-06"}),
        ("near = gap <= AGREED * size\nmany = n > 3\nhalf = n < 2.0\nrate = 1e-3\ntext = '1e-9 of it'", set()),
    ],
)
def test_the_scan_of_deciding_fractions_can_fail(source: str, expected: set[str]) -> None:
    assert deciding(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x.add_(1)", {"add_"}),
        ("def f(x):\n    return nn.init.uniform_(x.relu_())", {"uniform_", "relu_"}),
        ("nn.ReLU(inplace=True)\nF.relu(x, inplace=flag)", {"inplace"}),
        ("nn.ReLU(inplace=False)\nx.add(1)\nsuper().__init__()\ntype_(x)\nx.grad_", set()),
    ],
)
def test_the_scan_of_operations_in_place_can_fail(source: str, expected: set[str]) -> None:
    assert in_place(source) == expected
