"""A patch that may mend a cause, before it is proven."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.project import Project
from parity.report.pair import Report
from parity.report.records import Difference

ATOMS = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List)


@dataclass(frozen=True)
class Candidate:
    """A patch that may mend a cause.

    Args:
        side: "flax" or "torch", the side whose source it edits.
        edits: the edits.
        words: what they do, in words.
        releases: whether they let a gradient through that the source stops.
    """

    side: str
    edits: Sequence[TextEdit]
    words: str
    releases: bool = False


@dataclass(frozen=True)
class Context:
    """What rules look at.

    Args:
        project: the pair's source files.
        report: the report on the pair.
        difference: its first difference, with the proven cause.
    """

    project: Project
    report: Report
    difference: Difference


def inside(file: SourceFile, node: ast.expr) -> str:
    """The text of an expression as a part of another one: in parentheses unless it needs none."""
    words = file.words(node)
    if isinstance(node, ast.Tuple) and not words.startswith("("):
        return f"({words})"
    return words if isinstance(node, ATOMS) else f"({words})"


def instead(file: SourceFile, node: ast.expr, text: str) -> TextEdit:
    """The edit that writes an expression for another one, in parentheses where it would fall apart.

    Args:
        file, node: what is written now.
        text: what is written instead.
    """
    parent = file.parents.get(node)
    alone = isinstance(parent, ast.stmt | ast.keyword | ast.Tuple | ast.List) or (
        isinstance(parent, ast.Call) and node in parent.args
    )
    start, end = file.span(node)
    enclosed = file.text[start - 1 : start] == "(" and file.text[end : end + 1] == ")"
    atom = isinstance(ast.parse(f"({text}\n)", mode="eval").body, ATOMS)
    return file.replaced_whole(node, text) if atom else file.replaced(node, text if alone or enclosed else f"({text})")


def needs_import(file: SourceFile, name: str) -> tuple[str, list[TextEdit]]:
    """What to write for a full name such as "torch.nn.functional.gelu", with the edit that imports it where the file
    does not."""
    if spelled := file.spelled(name):
        return spelled, []
    module = name.partition(".")[0] if not name.startswith("jax.numpy.") else "jax.numpy"
    first = next((n for n in file.tree.body if isinstance(n, ast.Import | ast.ImportFrom) and not _future(n)), None)
    if first is None:
        return "", []
    start, _ = file.span(first)
    written = "import jax.numpy as jnp" if module == "jax.numpy" else f"import {module}"
    spelled = name.replace("jax.numpy", "jnp", 1) if module == "jax.numpy" else name
    return spelled, [TextEdit(file.path, start, start, f"{written}\n")]


def _future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
