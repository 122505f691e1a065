"""The values of expressions that can be known without running a program."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from parity.checks.referee import AGREED
from parity.repairs.source.files import SourceFile

UNKNOWN = object()
BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip


def value_of(file: SourceFile, node: ast.AST, depth: int = 8) -> Any:
    """The value of an expression of numbers, words, tuples and the file's constants; `UNKNOWN` if it is not known."""
    try:
        return _value(file, node, depth)
    except (ArithmeticError, TypeError, ValueError):
        return UNKNOWN


def _value(file: SourceFile, node: ast.AST, depth: int) -> Any:
    if depth == 0:
        return UNKNOWN
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(file, node.operand, depth - 1)
        return UNKNOWN if inner is UNKNOWN else -inner
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        left, right = _value(file, node.left, depth - 1), _value(file, node.right, depth - 1)
        return UNKNOWN if UNKNOWN in (left, right) else BINARY[type(node.op)](left, right)
    if isinstance(node, ast.Tuple | ast.List):
        items = [_value(file, item, depth - 1) for item in node.elts]
        return UNKNOWN if any(item is UNKNOWN for item in items) else tuple(items)
    if isinstance(node, ast.Name):
        return _named(file, node, depth)
    return UNKNOWN


def _named(file: SourceFile, node: ast.Name, depth: int) -> Any:
    """The value of a name that is bound once in the function around it, or once in the file."""
    around = [n for n in file.above(node) if isinstance(n, ast.FunctionDef)][:1]
    for scope in (*around, file.tree):
        inside = ast.walk(scope) if scope is not file.tree else iter(file.tree.body)
        bound = [value for n in inside if isinstance(n, ast.Assign) for value in _bindings(n, node.id)]
        if len(bound) == 1 and bound[0] is not None:
            return _value(file, bound[0], depth - 1)
        if bound:
            return UNKNOWN
    return UNKNOWN


def _bindings(assign: ast.Assign, name: str) -> list[ast.expr | None]:
    """What a statement binds to a name; None where that is not written there by itself."""
    bindings: list[ast.expr | None] = []
    for target in assign.targets:
        if isinstance(target, ast.Name) and target.id == name:
            bindings.append(assign.value)
        elif isinstance(target, ast.Tuple):
            for place, item in enumerate(target.elts):
                if isinstance(item, ast.Name) and item.id == name:
                    whole = isinstance(assign.value, ast.Tuple) and len(assign.value.elts) == len(target.elts)
                    bindings.append(assign.value.elts[place] if whole else None)  # type: ignore[attr-defined]
    return bindings


def is_value(file: SourceFile, node: ast.AST, wanted: Any) -> bool:
    """Whether an expression is known to have a value, of whichever kind of number."""
    value = value_of(file, node)
    if value is UNKNOWN or isinstance(value, bool) is not isinstance(wanted, bool):
        return False
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return math.isclose(value, wanted, rel_tol=AGREED)
    return bool(value == wanted)
