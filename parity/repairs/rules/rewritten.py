"""Rules for an operation that is written as another: a comparison, a reduction, two operations in another order."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from parity.interface.programs.undone import Undone
from parity.repairs.rules.candidate import ATOMS, Candidate, Context, inside, instead
from parity.repairs.source.files import SourceFile
from parity.repairs.source.nodes import called, on_line, operands

REDUCTIONS: Mapping[str, tuple[str, str]] = {
    "the mean": ("mean", "mean"), "the sum": ("sum", "sum"), "the largest": ("max", "amax"),
    "the smallest": ("min", "amin"), "the variance": ("var", "var"), "the standard deviation": ("std", "std"),
    "the product": ("prod", "prod"), "the median": ("median", "median"),
}  # fmt: skip
"""What is taken along axes → the name of its function in JAX and in PyTorch."""
PLACES: Mapping[str, int] = {"the first": 0, "the last": -1}
"""What is taken along an axis → its place there."""
OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
"""Operator → the name of its operation in both frameworks."""
COMPUTED = (ast.BinOp, ast.Call)
"""Expressions that are an operation."""
REDUCING = frozenset(name for names in REDUCTIONS.values() for name in names)


def rewritten(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits of the operation's line that write it as what was put in its place."""
    rule = RULES.get(undone.means[0]) if undone.means else None
    places = on_line(context.project, undone.spot.place) if rule is not None else ()
    for file, node in sorted(places, key=lambda place: not _is_operation(place[1], undone.spot.operation)):
        for text in rule(file, node, undone) if rule is not None else ():
            yield Candidate(undone.side, [instead(file, node, text)], f"write {text}")


def _is_operation(node: ast.expr, operation: str) -> bool:
    """Whether an expression is the operation itself, so that it is the likeliest to be written otherwise."""
    if isinstance(node, ast.BinOp):
        return OPERATORS.get(type(node.op), "?") in operation
    return called(node) == operation


def _comparison(file: SourceFile, node: ast.expr, undone: Undone) -> Iterator[str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield f"{file.words(node.left)} {undone.means[1]} {file.words(node.comparators[0])}"


def _call(file: SourceFile, node: ast.expr, undone: Undone) -> Iterator[str]:
    if called(node) == undone.spot.operation:
        yield _renamed(file, node, undone.means[1])


def _reduction(file: SourceFile, node: ast.expr, undone: Undone) -> Iterator[str]:
    _, wanted, *axes = undone.means
    names = REDUCTIONS.get(wanted)
    if names is not None and called(node) in REDUCING:
        yield _renamed(file, node, names[undone.side == "torch"])
    if names is not None and isinstance(node, ast.Subscript) and len(axes) == 1:
        yield f"{inside(file, node.value)}.{names[undone.side == 'torch']}({axes[0]})"
    if wanted in PLACES and called(node) in REDUCING and len(axes) == 1:
        index = ", ".join([*[":"] * int(axes[0]), str(PLACES[wanted])])
        yield from (f"{inside(file, taken)}[{index}]" for taken in list(operands(file, node))[:1])


def _renamed(file: SourceFile, node: ast.expr, name: str) -> str:
    """A call with another last name of what is called."""
    assert isinstance(node, ast.Call)
    words, func = file.words(node), file.words(node.func)
    root = func.rpartition(".")[0]
    return f"{root}.{name}{words[len(func) :]}" if root else f"{name}{words[len(func) :]}"


Around = Callable[[str], str]


def _swap(file: SourceFile, node: ast.expr, undone: Undone) -> Iterator[str]:
    """An operation on what another gives, as the other on what the one gives."""
    computed = (pair for pair in _layers(file, node) if all(isinstance(n, COMPUTED) for n in (node, pair[0])))
    for inner, outer_of in computed:
        for x, inner_of in _layers(file, inner):
            yield inner_of(outer_of(file.words(x)))


def _layers(file: SourceFile, node: ast.expr) -> Iterator[tuple[ast.expr, Around]]:
    """An expression's operands that are arrays, each with what writes the expression of another operand."""
    words, (start, _) = file.words(node), file.span(node)
    is_operator = isinstance(node, ast.BinOp)
    taken = [node.left, node.right] if isinstance(node, ast.BinOp) else list(operands(file, node))[:1]
    for operand in (each for each in taken if not isinstance(each, ast.Constant)):
        begin, end = (place - start for place in file.span(operand))
        head, tail = words[:begin], words[end:]
        if is_operator and head.endswith("(") and tail.startswith(")"):
            head, tail = head[:-1], tail[1:]
        yield operand, partial(_around, head=head, tail=tail)


def _around(text: str, head: str, tail: str) -> str:
    atom = isinstance(ast.parse(f"({text}\n)", mode="eval").body, ATOMS)
    return f"{head}{text}{tail}" if atom or (head.endswith("(") and tail == ")") else f"{head}({text}){tail}"


RULES: Mapping[str, Callable[[SourceFile, ast.expr, Undone], Iterator[str]]] = {
    "compare": _comparison,
    "call": _call,
    "reduce": _reduction,
    "swap": _swap,
}
"""What was put in the place of an operation → what may be written for an expression of its line."""
