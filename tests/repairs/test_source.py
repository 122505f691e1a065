"""The user's sources: places of nodes, names of imports, values that are known, and edits that leave the rest alone."""

import ast
from pathlib import Path

import pytest

from parity.interface.programs.undone import Spot
from parity.repairs.differences import difference_of
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit, edited
from parity.repairs.source.nodes import of_spot
from parity.repairs.source.project import Project
from parity.repairs.source.static import UNKNOWN, is_value, value_of

TEXT = '''"""Ünïcode."""
from torch import nn
from torch.nn import functional as F
import jax.numpy as jnp

SIZE, HALF = 6, 6 // 2


class Net(nn.Module):
    def forward(self, x):
        y = F.gelu(x, approximate="tänh") + 2.0 * x
        return F.softmax(y, -1)  # kept
'''


def source(text: str = TEXT) -> SourceFile:
    return SourceFile(Path("/nowhere/net.py"), text)


def call(file: SourceFile, name: str) -> ast.Call:
    return next(n for n in ast.walk(file.tree) if isinstance(n, ast.Call) and file.words(n.func).endswith(name))


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), f"\ufeff{TEXT}"], ids=["plain", "CRLF", "mark"])
def test_a_node_is_where_its_text_is(text: str) -> None:
    file = source(text)
    assert file.words(call(file, "gelu")) == 'F.gelu(x, approximate="tänh")'
    new = edited(text, [file.replaced(call(file, "softmax").args[1], "-2")])
    assert new == text.replace("softmax(y, -1)", "softmax(y, -2)")


def test_two_edits_of_one_place_are_refused() -> None:
    edits = [TextEdit(Path("a"), 0, 3, "x"), TextEdit(Path("a"), 2, 4, "y")]
    with pytest.raises(ValueError, match="one place"):
        edited("abcdef", edits)
    assert edited("abcdef", [TextEdit(Path("a"), 0, 1, "x"), TextEdit(Path("a"), 3, 3, "-")]) == "xbc-def"


def test_names_are_read_and_written_by_the_imports() -> None:
    file = source()
    assert file.dotted(call(file, "gelu").func) == "torch.nn.functional.gelu"
    assert file.spelled("torch.nn.functional.silu") == "F.silu"
    assert file.spelled("jax.numpy.where") == "jnp.where" and file.spelled("optax.adam") == ""
    assert file.side(call(file, "softmax").func) == "torch"


def test_values_that_are_written_are_known() -> None:
    file = source()
    names = {n.id: n for n in ast.walk(file.tree) if isinstance(n, ast.Name)}
    loaded = ast.parse("SIZE - HALF", mode="eval").body
    assert value_of(file, loaded) is UNKNOWN or value_of(file, loaded) == 3
    assert value_of(file, names["x"]) is UNKNOWN
    assert is_value(file, ast.parse("3 * 2", mode="eval").body, 6.0)
    assert not is_value(file, ast.parse("1", mode="eval").body, True)


@pytest.mark.parametrize(
    ("written", "names", "was", "expected"),
    [
        ("f(x, dim=1)", ("dim",), 1, ["f(x, dim=2)"]),
        ("f(x, 1)", ("dim",), 1, ["f(x, 2)", "f(x, 1, dim=2)"]),
        ("f(x)", ("dim", "axis"), 1, ["f(x, dim=2)", "f(x, axis=2)"]),
        ("f()", ("dim",), ..., ["f(dim=2)"]),
        ("f(x, (1),)", ("dim",), ..., ["f(x, (1), dim=2,)"]),
        ("f((x))", ("dim",), ..., ["f((x), dim=2)"]),
        ("f(x, **more)", ("dim",), ..., ['f(x, **{**more, "dim": 2})', "f(x, **more, dim=2)"]),
    ],
)
def test_a_setting_is_changed_or_added(written: str, names: tuple[str, ...], was: int, expected: list[str]) -> None:
    file = source(f"{written}\n")
    made = [edited(file.text, edits).strip() for edits in with_setting(file, call(file, "f"), names, was, "2")]
    assert made == expected


def test_an_operation_is_found_on_its_line(tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(TEXT, encoding="utf-8")
    project = Project(tmp_path / "pair.py")
    found = {
        spot: [file.words(node) for file, node in of_spot(project, Spot(spot, "pair.py:11"))]
        for spot in ("mul", "gelu")
    }
    assert found == {"mul": ["2.0 * x"], "gelu": ['F.gelu(x, approximate="tänh")']}
    assert of_spot(project, Spot("mul", "other.py:11")) == [] == of_spot(project, Spot("mul", ""))


def test_all_files_that_a_pair_imports_are_seen(tmp_path: Path) -> None:
    package = tmp_path / "nets"
    package.mkdir()
    (tmp_path / "pair.py").write_text("from nets import deep\nimport json, torch\n")
    (package / "__init__.py").write_text("from .more import thing\n")
    (package / "deep.py").write_text("from . import more\nfrom .. import above\n")
    (package / "more.py").write_text("thing = 1\n")
    names = {path.relative_to(tmp_path.resolve()).as_posix() for path in Project(tmp_path / "pair.py").files}
    assert names == {"pair.py", "nets/__init__.py", "nets/deep.py", "nets/more.py"}


def test_a_patch_says_where_there_is_no_last_line_end() -> None:
    diff = difference_of({Path("/x/a.py"): "a\nb"}, {Path("/x/a.py"): "a\nc"})
    assert diff.splitlines()[-4:] == ["-b", "\\ No newline at end of file", "+c", "\\ No newline at end of file"]
