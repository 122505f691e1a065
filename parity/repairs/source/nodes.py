"""The expressions of a source that an operation of a pass comes from."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from parity.interface.programs.undone import SourceValue, Spot
from parity.repairs.source.files import SourceFile
from parity.repairs.source.project import Project

FileExpression = tuple[SourceFile, ast.expr]
OPERATORS: Mapping[str, tuple[type[ast.AST], ...]] = {
    "add": (ast.Add,), "sub": (ast.Sub, ast.Add), "rsub": (ast.Sub,), "mul": (ast.Mult,), "div": (ast.Div,),
    "pow": (ast.Pow,), "integer_pow": (ast.Pow,), "square": (ast.Pow,), "rpow": (ast.Pow,), "rdiv": (ast.Div,),
    "matmul": (ast.MatMult,), "dot_general": (ast.MatMult,), "neg": (ast.USub,), "not": (ast.Invert,),
    "invert": (ast.Invert,), "and": (ast.BitAnd,), "or": (ast.BitOr,), "floordiv": (ast.FloorDiv,), "rem": (ast.Mod,),
    "remainder": (ast.Mod,), "mod": (ast.Mod,), "eq": (ast.Eq,), "ne": (ast.NotEq,), "ge": (ast.GtE,), "gt": (ast.Gt,),
    "le": (ast.LtE,), "lt": (ast.Lt,),
}  # fmt: skip
"""Name of an operation → the operators that ask for it."""
WRITTEN: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "reduce_sum": "sum mean average norm", "reduce_max": "max amax", "reduce_min": "min amin",
        "logistic": "sigmoid", "dot_general": "einsum matmul dot", "reshape": "reshape flatten ravel",
        "transpose": "transpose swapaxes moveaxis permute", "concatenate": "concatenate stack hstack tile roll",
        "select_n": "where", "erf": "gelu", "rev": "flip", "reduce_window_max": "max_pool",
        "reduce_window_sum": "avg_pool", "conv_general_dilated": "conv conv_general_dilated", "max": "maximum relu max",
        "min": "minimum min", "stop_gradient": "stop_gradient", "iota": "arange", "convert_element_type": "astype",
        "gather": "take take_along_axis", "broadcast_in_dim": "broadcast_to tile repeat expand_dims",
        "cumsum": "cumsum", "square": "square", "argmax": "argmax", "argmin": "argmin", "sqrt": "sqrt norm",
        "log_softmax": "log_softmax cross_entropy", "add": "add add_", "div": "div divide true_divide mean",
        "mul": "mul multiply", "sub": "sub subtract", "clamp": "clamp clip", "permute": "permute mT T",
    }.items()
}  # fmt: skip
"""Name of an operation → functions and methods that ask for it, besides those of its own name."""


def called(node: ast.AST) -> str:
    """The last name of what is called: "gelu" of `F.gelu(x)`; "" if nothing is called by a name."""
    if not isinstance(node, ast.Call):
        return ""
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def on_line(project: Project, place: str) -> Iterator[FileExpression]:
    """The expressions of the statement on a line, in the order in which they are computed."""
    for file, line in project.at(place):
        for statement in ast.walk(file.tree):
            if isinstance(statement, ast.stmt) and _covers(statement, line):
                for node in _in_order(statement):
                    if node.lineno <= line <= (node.end_lineno or node.lineno):
                        yield file, node


def statements(project: Project, place: str) -> Iterator[tuple[SourceFile, ast.stmt]]:
    """The statements on a line: the innermost ones."""
    for file, line in project.at(place):
        for statement in ast.walk(file.tree):
            if isinstance(statement, ast.stmt) and _covers(statement, line):
                yield file, statement


def _covers(statement: ast.stmt, line: int) -> bool:
    """Whether a statement is on a line, and none within it is."""
    if not statement.lineno <= line <= (statement.end_lineno or statement.lineno):
        return False
    inner = (child for child in ast.walk(statement) if isinstance(child, ast.stmt) and child is not statement)
    return not any(child.lineno <= line <= (child.end_lineno or child.lineno) for child in inner)


def _in_order(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions in a node, inner ones first; not those of statements within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from _in_order(child)
    if isinstance(node, ast.expr):
        yield node


def asks_for(node: ast.expr, operation: str) -> bool:
    """Whether an expression is one that asks for an operation."""
    name = operation.strip("_")
    kinds = OPERATORS.get(name, ())
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, kinds)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, kinds)
    if isinstance(node, ast.Compare):
        return isinstance(node.ops[0], kinds)
    if isinstance(node, ast.Subscript):
        return name in ("getitem", "slice", "gather", "dynamic_slice", "squeeze")
    if isinstance(node, ast.Attribute):
        return node.attr == name and isinstance(node.ctx, ast.Load)
    word = called(node).strip("_")
    return bool(word) and (word == name or word in WRITTEN.get(name, ()))


def of_spot(project: Project, spot: Spot) -> list[FileExpression]:
    """The expressions that may ask for an operation: its own place among its like first."""
    line = on_line(project, spot.place)
    expressions = [(f, n) for f, n in line if asks_for(n, spot.operation) and not _is_called(f, n)]
    if 0 < spot.nth < len(expressions):
        expressions.insert(0, expressions.pop(spot.nth))
    return expressions


def _is_called(file: SourceFile, node: ast.expr) -> bool:
    """Whether an expression is the name of what is called, and not the call."""
    parent = file.parents.get(node)
    return isinstance(parent, ast.Call) and parent.func is node


def of_value(project: Project, value: SourceValue) -> list[FileExpression]:
    """The expressions that may give a value: the call of its module, or what asks for its operation; then all calls and
    operators of the line, outer ones first."""
    if value.made is None:
        return []
    line = list(on_line(project, value.made.place))
    makers = [pair for pair in line if value.call and is_call_of(pair[1], value.call)]
    if not makers:
        makers = of_spot(project, value.made)
    others = [pair for pair in reversed(line) if pair not in makers and isinstance(pair[1], ast.Call | ast.BinOp)]
    return [*makers, *others]


def is_call_of(node: ast.expr, path: str) -> bool:
    """Whether an expression calls the module of that path, as `self.norm(x)` does "encoder.norm"."""
    names = [part for part in path.split(".") if not part.isdecimal()]
    if not isinstance(node, ast.Call) or not names:
        return False
    if isinstance(node.func, ast.Call):  # Linen's `nn.Dense(3)(x)`
        return names[-1].rpartition("_")[0] == called(node.func) or _named(node.func) == names[-1]
    func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return isinstance(func, ast.Attribute) and func.attr == names[-1]


def _named(node: ast.Call) -> str:
    """The name that a module of Linen's is given."""
    names = (k.value for k in node.keywords if k.arg == "name")
    return next((str(value.value) for value in names if isinstance(value, ast.Constant)), "")


def operands(file: SourceFile, node: ast.expr) -> Sequence[ast.expr]:
    """What an expression computes with, in order: both sides of an operator; of a call, its receiver and arguments."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Subscript | ast.Attribute):
        return [node.value]
    if isinstance(node, ast.Call):
        taken = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
        return [*_receiver(file, node.func), *taken, *(keyword.value for keyword in node.keywords)]
    return []


def _receiver(file: SourceFile, func: ast.expr) -> Sequence[ast.expr]:
    """The array whose method is called."""
    if not isinstance(func, ast.Attribute) or file.dotted(func):
        return []
    return [] if isinstance(func.value, ast.Name) and func.value.id in ("self", "super") else [func.value]
