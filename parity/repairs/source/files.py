"""A source file of the user's: its text, its syntax tree, and edits that leave the rest of the text as it is."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MARK = "\ufeff"
"""What some editors begin a file with, which is no part of the program."""
LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
"""A line with its end, as Python reads them."""


@dataclass(frozen=True)
class TextEdit:
    """A stretch of a file with another text.

    Args:
        path: the file.
        start, end: the stretch, in characters from 0; an insertion where both are the same.
        text: what stands there instead.
    """

    path: Path
    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[TextEdit]) -> str:
    """A text with edits made.

    Raises:
        ValueError: two of them are of one place.
    """
    last = len(text) + 1
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        if edit.end > last:
            raise ValueError("two edits are of one place")
        text, last = text[: edit.start] + edit.text + text[edit.end :], edit.start
    return text


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A Python file.

    Args:
        path: its absolute path.
        text: its text, with the line ends as Python reads them.
    """

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree.

        Raises:
            SyntaxError: it is no Python.
        """
        return ast.parse(self.text.removeprefix(MARK))

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """Node → the node that it is in."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def _lines(self) -> list[tuple[int, bytes]]:
        """The first character of each line, and the line as the tree counts columns in it."""
        starts, lines = len(self.text) - len(self.text.removeprefix(MARK)), []
        for line in LINES.findall(self.text.removeprefix(MARK)):
            lines.append((starts, line.encode()))
            starts += len(line)
        return lines

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """The first character of a node and the one after its last."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        start, text = self._lines[line - 1]
        return start + len(text[:column].decode())

    def words(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def replaced(self, node: ast.expr | ast.stmt | ast.keyword, text: str) -> TextEdit:
        """The edit that writes another text for a node."""
        return TextEdit(self.path, *self.span(node), text)

    def replaced_whole(self, node: ast.expr, text: str) -> TextEdit:
        """The edit that writes another text for an expression and for the parentheses around it, which an operand may
        have and the new text does not need."""
        start, end = self.span(node)
        operand = isinstance(self.parents.get(node), ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute)
        if operand and self.text[start - 1 : start] == "(" and self.text[end : end + 1] == ")":
            start, end = start - 1, end + 1
        return TextEdit(self.path, start, end, text)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that a node is in, the innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    @cached_property
    def imported(self) -> Mapping[str, str]:
        """Name in the file → what it is imported as, such as "F" → "torch.nn.functional"."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    def dotted(self, node: ast.AST) -> str:
        """The full name of what an expression such as `F.gelu` names; "" if it is no name of an import's."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imported:
            return ""
        return ".".join([self.imported[node.id], *reversed(parts)])

    def side(self, node: ast.AST) -> str:
        """The framework of a name of an import's: "flax", "torch", or "" for neither."""
        root = self.dotted(node).partition(".")[0]
        return "torch" if root in ("torch", "torchvision") else "flax" if root in ("jax", "flax", "optax") else ""

    def spelled(self, name: str) -> str:
        """What to write for a full name such as "torch.nn.functional.gelu", the shortest that the imports allow; "" if
        its package is not imported."""
        spellings = []
        for written, whole in self.imported.items():
            if name == whole or name.startswith(f"{whole}."):
                spellings.append(written + name[len(whole) :])
        return min(spellings, key=len, default="")
