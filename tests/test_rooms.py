"""The order of the rooms: what a file may import, that no two files import each other, and that a room stays small."""

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.test_imports import imported

ROOT = Path(__file__).parent.parent
ROOMS = (
    "jaxnets",
    "torchnets",
    "parity/errors.py",
    "parity/files.py",
    "parity/documents.py",
    "parity/torchvision_.py",
    "parity/versions.py",
    "parity/recipes",
    "parity/data",
    "parity/interface/trace.py",
    "parity/weights.py",
    "parity/reference",
    "parity/interface",
    "parity/checks",
    "parity/backends/numpy",
    "parity/backends/flax/tracing",
    "parity/backends/flax/models",
    "parity/backends/flax/training",
    "parity/backends/flax",
    "parity/backends/torch/tracing",
    "parity/backends/torch/training",
    "parity/backends/torch",
    "parity/backends",
    "parity/backends/processes",
    "parity/report",
    "parity/pair/bar.py",
    "parity/pair/options.py",
    "parity/pair/arrays",
    "parity/pair/weightmap/pairing",
    "parity/pair/weightmap",
    "parity/pair/passes",
    "parity/pair/causes",
    "parity/pair/causes/search",
    "parity/pair/rungs",
    "parity/pair/rungs/probing",
    "parity/pair/rungs/updates",
    "parity/pair/repro",
    "parity/pair",
    "parity/pair/process",
    "parity/repairs/source",
    "parity/repairs/rules",
    "parity/repairs",
    "parity/twins",
    "parity/training",
    "parity/study",
    "parity/bugs",
    "parity/cli",
    "parity/__main__.py",
    "parity/__init__.py",
    "parity/pytest_plugin.py",
    "benchmarks/__init__.py",
    "benchmarks/pages",
    "benchmarks/contestants",
    "benchmarks/speed",
    "benchmarks/speed/pages",
    "benchmarks/growth",
    "benchmarks/waits",
    "benchmarks/scaling",
    "benchmarks/gpu",
    "benchmarks/pairs",
    "benchmarks/tpu",
    "benchmarks/evidence",
    "benchmarks/versions",
    "benchmarks",
)
"""From the bottom up: a file imports from its own room and from those above it in this list, never from one below."""
LARGEST = 16
"""Python files of a room beside each other, its `__init__.py` among them."""
LONGEST = 150
"""Lines of a class, with its docstrings."""
MOST = 6
"""Arguments of a function that can be passed by position, besides the object or the class of a method."""
OVER: frozenset[str] = frozenset()
"""Classes and functions, as "file name", that may be over these until they are mended; nothing new comes in here."""
Arrows = Mapping[str, set[str]]


def room_of(file: str, rooms: tuple[str, ...] = ROOMS) -> str:
    """The room of a file: the longest entry that is the file or a folder above it."""
    matching = [room for room in rooms if file == room or file.startswith(f"{room}/")]
    return max(matching, key=len, default="")


def arrows(root: Path) -> dict[str, set[str]]:
    """File → files of ours that it imports, inside functions, for type checking and by importlib too."""
    files = [path for top in ("jaxnets", "torchnets", "parity", "benchmarks") for path in (root / top).rglob("*.py")]
    modules = {_module(path.relative_to(root)): str(path.relative_to(root)) for path in files}
    return {
        str(path.relative_to(root)): set(_targets(path, root, modules)) - {str(path.relative_to(root))}
        for path in files
    }


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(path: Path, root: Path, modules: Mapping[str, str]) -> Iterator[str]:
    package = ".".join(path.relative_to(root).parent.parts)
    source = path.read_text().replace('f"{__name__}.', f'f"{_module(path.relative_to(root))}.')
    for name in imported(source, package):
        while name and name not in modules:
            name = name.rpartition(".")[0]
        if name:
            yield modules[name]


def climbing(found: Arrows, rooms: tuple[str, ...] = ROOMS) -> list[str]:
    """Imports from a room that is further down the list."""
    rank = {room: place for place, room in enumerate(rooms)}
    return sorted(
        f"{file} imports {target}"
        for file, targets in found.items()
        for target in targets
        if rank[room_of(target, rooms)] > rank[room_of(file, rooms)] and not _only_docstring(target)
    )


def _only_docstring(target: str) -> bool:
    """Whether a file is a room's `__init__.py` with nothing in it but its docstring."""
    path = ROOT / target
    return path.name == "__init__.py" and path.is_file() and len(ast.parse(path.read_text()).body) <= 1


def circle(found: Arrows) -> list[str]:
    """Files that import each other in a circle, the first circle there is; none if there is none."""
    done: set[str] = set()

    def walk(file: str, trail: list[str]) -> list[str]:
        if file in trail:
            return trail[trail.index(file) :]
        if file in done:
            return []
        for target in sorted(found.get(file, ())):
            if closed := walk(target, [*trail, file]):
                return closed
        done.add(file)
        return []

    return next((closed for file in sorted(found) if (closed := walk(file, []))), [])


def long_classes(source: str) -> dict[str, int]:
    """Name → lines of the classes that are too long."""
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    lengths = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in classes]
    return {name: length for name, length in lengths if length > LONGEST}


def wide_functions(source: str) -> dict[str, int]:
    """Name → number of the arguments of functions that take too many by position."""
    tree = ast.parse(source)
    methods = {id(item) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    counts = [(node.name, _positional(node, id(node) in methods)) for node in functions]
    return {name: count for name, count in counts if count > MOST}


def _positional(function: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> int:
    static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)
    return len(function.args.posonlyargs) + len(function.args.args) - (is_method and not static)


def over(scan: Callable[[str], Mapping[str, int]]) -> dict[str, int]:
    """What a scan sees in the files of the packages, as "file name" → size, without what is exempt."""
    sizes = {f"{file} {name}": size for file in arrows(ROOT) for name, size in scan((ROOT / file).read_text()).items()}
    return {place: size for place, size in sizes.items() if place not in OVER}


def test_every_file_has_a_room_and_every_room_a_file() -> None:
    files = arrows(ROOT)
    assert [file for file in files if not room_of(file)] == []
    assert {room_of(file) for file in files} == set(ROOMS)


def test_no_import_climbs() -> None:
    assert climbing(arrows(ROOT)) == []


def test_no_two_files_import_each_other() -> None:
    assert circle(arrows(ROOT)) == []


def test_no_room_is_too_full() -> None:
    folders: dict[str, int] = {}
    for file in arrows(ROOT):
        folders[str(Path(file).parent)] = folders.get(str(Path(file).parent), 0) + 1
    assert {folder: count for folder, count in folders.items() if count > LARGEST} == {}


def test_no_class_is_too_long() -> None:
    assert over(long_classes) == {}


def test_no_function_takes_too_many_arguments_by_position() -> None:
    assert over(wide_functions) == {}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name in ("low", "high"):
        (tmp_path / "parity" / name).mkdir(parents=True)
        (tmp_path / "parity" / name / "__init__.py").write_text('"""A room."""\n')
    (tmp_path / "parity" / "low" / "a.py").write_text("x = 1\n")
    (tmp_path / "parity" / "high" / "b.py").write_text("from parity.low.a import x\n")
    return tmp_path


SMALL = ("parity/low", "parity/high")


def test_the_scan_sees_nothing_wrong_in_a_house_in_order(house: Path) -> None:
    found = arrows(house)
    assert found["parity/high/b.py"] == {"parity/low/a.py"}
    assert (climbing(found, SMALL), circle(found)) == ([], [])


@pytest.mark.parametrize(
    "source",
    [
        "from parity.high.b import x",
        "from parity.high import b",
        "import parity.high.b",
        "def f():\n    from parity.high.b import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from parity.high.b import x",
        "from ..high import b",
        "from importlib import import_module\nimport_module('parity.high.b')",
    ],
)
def test_an_import_that_climbs_and_the_circle_it_makes_are_seen(house: Path, source: str) -> None:
    (house / "parity" / "low" / "a.py").write_text(source + "\n")
    found = arrows(house)
    assert climbing(found, SMALL) == ["parity/low/a.py imports parity/high/b.py"]
    assert sorted(circle(found)) == ["parity/high/b.py", "parity/low/a.py"]


def test_a_file_without_a_room_is_seen(house: Path) -> None:
    (house / "parity" / "c.py").write_text("")
    assert [file for file in arrows(house) if not room_of(file, SMALL)] == ["parity/c.py"]


def test_a_class_that_is_too_long_is_seen() -> None:
    lines = "".join(f"    x{number} = {number}\n" for number in range(LONGEST - 1))
    assert long_classes(f"class Fits:\n{lines}") == {}
    assert long_classes(f"class Long:\n{lines}    y = 0\n") == {"Long": LONGEST + 1}
    assert long_classes("def f():\n    class Inner:\n" + "        x = 0\n" * LONGEST) == {"Inner": LONGEST + 1}


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b, c, d, e, g): ...",
        "def f(a, b, c, d, e, g, *rest, h, **options): ...",
        "class C:\n    def f(self, a, b, c, d, e, g): ...",
        "class C:\n    @classmethod\n    def f(cls, a, b, c, d, e, g): ...",
        "class C:\n    @staticmethod\n    def f(a, b, c, d, e, g): ...",
    ],
)
def test_one_more_argument_by_position_is_seen(source: str) -> None:
    assert wide_functions(source) == {}
    for wider in (
        source.replace("g", "g, i", 1),
        source.replace("a,", "a, i,", 1),
        source.replace("d,", "d, /, i,", 1),
    ):
        assert wide_functions(wider) == {"f": MOST + 1}, wider


def test_functions_inside_functions_and_those_that_wait_are_seen() -> None:
    assert wide_functions("def g():\n    async def f(a, b, c, d, e, h, i): ...") == {"f": MOST + 1}
