"""A brought pair as a user would have written it: one source file, with the settings of each side put in.

The pairs of `parity/bugs/brought` hold every bug beside the right code, chosen by a setting. Here the settings are put
in and what they decide is decided, so that what is left is only the one way, right or wrong.
"""

import ast
import importlib
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity.bugs import brought
from parity.bugs.catalogue import Bug

HOLDERS = ("s", "settings")
"""What settings are called in these files, by themselves and as attributes of a module."""
OF_FLAX = ("Flax", "flax_", "schedule_of", "optax_of", "amsgrad", "adagrad", "_decayed")
"""How the names of what belongs to Flax's side begin; all else is PyTorch's."""
BINARY: Mapping[type[ast.AST], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.FloorDiv: operator.floordiv, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
}  # fmt: skip


def source_of(bug: Bug) -> tuple[str, str]:
    """The name of the file that holds a bug's pair, and its text."""
    name, base = brought.PAIRS[bug.pair]
    module = importlib.import_module(f"{brought.__name__}.{name}")
    settings = {
        side: module.Settings(**{**base, **(bug.plant if side == bug.side else {})}) for side in ("flax", "torch")
    }
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    body: list[ast.stmt] = []
    for item in tree.body:
        if not (isinstance(item, ast.ClassDef) and item.name == "Settings"):
            body += _Decided(settings, getattr(item, "name", "")).visited([item])
    text = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    return f"{name}.py", f"{text}\n"


class _Decided(ast.NodeTransformer):
    """Puts settings in and takes away what they decide against.

    Args:
        settings: side → its settings.
        item: name of the class or function that is visited.
    """

    def __init__(self, settings: Mapping[str, Any], item: str) -> None:
        self.both = settings
        self.settings = settings["flax" if item.startswith(OF_FLAX) else "torch"]
        self.pair = item == "pair"

    def visited(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Statements with settings put in; those behind a return are left out."""
        body: list[ast.stmt] = []
        for statement in statements:
            made = self.visit(statement)
            body += made if isinstance(made, list) else [] if made is None else [made]
            if body and isinstance(body[-1], ast.Return):
                break
        return body

    def held(self, node: ast.AST) -> Any:
        """The settings that an expression is; None if it is none."""
        if self.pair and isinstance(node, ast.Name):
            return self.both.get(node.id)
        if isinstance(node, ast.Name):
            return self.settings if node.id in HOLDERS else None
        return self.settings if isinstance(node, ast.Attribute) and node.attr in HOLDERS else None

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self.visited(value))
            elif isinstance(value, list):
                made = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
                setattr(node, name, [item for item in made if item is not None])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        dropped = [a for a in node.args if isinstance(a.annotation, ast.Name) and a.annotation.id == "Settings"]
        node.args = [a for a in node.args if a not in dropped]
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:  # the name that ast asks for
        if self.held(node.value) is not None:
            return None
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            kept = [pair for pair in zip(target.elts, node.value.elts, strict=True) if self.held(pair[1]) is None]
            if len(kept) == 1:
                node.targets, node.value = [kept[0][0]], kept[0][1]
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [argument for argument in node.args if self.held(argument) is None]
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        held = self.held(node.value)
        if held is not None and hasattr(held, node.attr):
            return ast.copy_location(ast.Constant(getattr(held, node.attr)), node)
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        node.test = self.visit(node.test)
        if isinstance(node.test, ast.Constant):
            return self.visited(node.body if node.test.value else node.orelse)
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if all(isinstance(value, ast.Constant) for value in node.values):
            values = [value.value for value in node.values if isinstance(value, ast.Constant)]
            return ast.Constant(all(values) if isinstance(node.op, ast.And) else any(values))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        return _folded(node, node.left, node.ops[0], node.comparators[0])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _folded(node, node.left, node.op, node.right)


def _folded(node: ast.expr, left: ast.expr, op: ast.AST, right: ast.expr) -> ast.expr:
    """The constant that an expression of constants is, else the expression."""
    if type(op) not in BINARY:
        return node
    try:
        return ast.Constant(BINARY[type(op)](ast.literal_eval(left), ast.literal_eval(right)))
    except (ValueError, TypeError, ArithmeticError):
        return node
