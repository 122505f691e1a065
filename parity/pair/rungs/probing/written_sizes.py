"""The sizes that the users' sources compare the axes of arrays with, as in `if x.shape[1] > 20`."""

import ast
import linecache
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from parity.interface.sides.functions import Place

Span = tuple[int, int] | None
"""The last size below a border and the first above it; None where one size alone is meant."""
SPANS: Mapping[type, tuple[int, int]] = {ast.Lt: (-1, 0), ast.GtE: (-1, 0), ast.LtE: (0, 1), ast.Gt: (0, 1)}
"""Comparison of a size with a number → the last size below the border and the first above it, less the number."""
MIRRORED: Mapping[type, type] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
"""Comparison → the same, read from right to left."""


@dataclass(frozen=True)
class WrittenSize:
    """A number that the size of an axis is compared with.

    Args:
        axis: the axis; one below zero is counted from the end.
        size: the number.
        span: the last size below the border and the first above it; None for (in)equality with the number.
        cuts: whether what is above is cut off, so that nothing is otherwise below.
    """

    axis: int
    size: int
    span: Span = None
    cuts: bool = False

    def across(self, now: int) -> int | None:
        """The size across the border from a present one; None if there is none."""
        if self.span is None:
            return self.size if now != self.size else None
        low, high = self.span
        if now <= low:
            return high
        return low if low > 0 and not self.cuts else None


def written_sizes(functions: Iterable[Place]) -> list[WrittenSize]:
    """What functions compare sizes with; one whose source cannot be read has nothing.

    Args:
        functions: The file of each, and its first line.
    """
    lines: dict[str, set[int]] = {}
    for file, line in functions:
        lines.setdefault(file, set()).add(line)
    sizes: dict[WrittenSize, None] = {}
    for file, first in lines.items():
        try:
            tree = ast.parse("".join(linecache.getlines(file)))
        except (SyntaxError, ValueError):
            continue
        numbers = dict(_numbers(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.Lambda) and _first_line(node) in first:
                sizes.update(dict.fromkeys(_Scope(node, numbers).sizes()))
    return list(sizes)


def _first_line(node: ast.FunctionDef | ast.Lambda) -> int:
    """The line that Python takes for a function's first: that of its first decorator."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _numbers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that a module gives to whole numbers."""
    for item in tree.body:
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant) and type(item.value.value) is int:
            yield from ((target.id, item.value.value) for target in item.targets if isinstance(target, ast.Name))


class _Scope:
    """One function, with the names that are sizes in it."""

    def __init__(self, scope: ast.AST, numbers: Mapping[str, int]) -> None:
        self._nodes = list(ast.walk(scope))
        self._values = numbers
        self._names = dict(self._named_sizes())

    def sizes(self) -> Iterator[WrittenSize]:
        """What sizes are compared with."""
        for node in self._nodes:
            if isinstance(node, ast.Compare):
                yield from self._compared(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
                yield from self._bounded(node)
            elif isinstance(node, ast.Subscript):
                yield from self._sliced(node)

    def _named_sizes(self) -> Iterator[tuple[str, int]]:
        """Names that are given a size (`n = x.shape[1]`), or one each of a shape (`b, n, d = x.shape`)."""
        for node in self._nodes:
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and (axis := _axis_of(node.value)) is not None:
                yield target.id, axis
            if isinstance(target, ast.Tuple) and _is_shape(node.value):
                names = [element.id if isinstance(element, ast.Name) else "" for element in target.elts]
                if not any(isinstance(element, ast.Starred) for element in target.elts):
                    yield from ((name, place) for place, name in enumerate(names) if name)

    def _axis(self, node: ast.expr) -> int | None:
        return self._names.get(node.id) if isinstance(node, ast.Name) else _axis_of(node)

    def _number(self, node: ast.expr) -> int | None:
        if isinstance(node, ast.Name):
            return self._values.get(node.id)
        return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None

    def _compared(self, node: ast.Compare) -> Iterator[WrittenSize]:
        parts = [node.left, *node.comparators]
        for left, operator, right in zip(parts, node.ops, parts[1:], strict=False):
            how = type(operator)
            axis, number = self._axis(left), self._number(right)
            if axis is None or number is None:
                axis, number, how = self._axis(right), self._number(left), MIRRORED.get(how, how)
            if axis is None or number is None:
                continue
            if how in SPANS:
                below, above = SPANS[how]
                yield WrittenSize(axis, number, (number + below, number + above))
            elif how in (ast.Eq, ast.NotEq):
                yield WrittenSize(axis, number)

    def _bounded(self, node: ast.Call) -> Iterator[WrittenSize]:
        axes = [axis for part in node.args if (axis := self._axis(part)) is not None]
        numbers = [number for part in node.args if (number := self._number(part)) is not None]
        for axis in axes:
            yield from (WrittenSize(axis, number, (number, number + 1)) for number in numbers)

    def _sliced(self, node: ast.Subscript) -> Iterator[WrittenSize]:
        """Axes that are cut after so many places, as by `x[:, :20]`."""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        dots = next((i for i, p in enumerate(parts) if isinstance(p, ast.Constant) and p.value is Ellipsis), None)
        for place, part in enumerate(parts):
            if not isinstance(part, ast.Slice) or part.lower is not None or part.step is not None:
                continue
            number = None if part.upper is None else self._number(part.upper)
            if number is not None and number > 0:
                axis = place if dots is None or place < dots else place - len(parts)
                yield WrittenSize(axis, number, (number, number + 1), cuts=True)


def _axis_of(node: ast.expr) -> int | None:
    """The axis of which an expression is the size: `x.shape[1]`, `x.size(1)` or `len(x)`."""
    if isinstance(node, ast.Subscript) and _is_shape(node.value):
        return _literal(node.slice)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "size":
            return _literal(node.args[0])
        if isinstance(node.func, ast.Name) and node.func.id == "len" and isinstance(node.args[0], ast.Name):
            return 0
    return None


def _literal(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None


def _is_shape(node: ast.expr) -> bool:
    """Whether an expression is a whole shape: `x.shape` or `x.size()`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "shape"
    call = node.func if isinstance(node, ast.Call) and not node.args else None
    return isinstance(call, ast.Attribute) and call.attr == "size"
