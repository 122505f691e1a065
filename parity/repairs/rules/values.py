"""Rules for an operation that is left out or run once less, and for one value in the place of another."""

import ast
import re
from collections.abc import Iterator, Sequence

from parity.interface.programs.undone import SourceValue, Undone
from parity.repairs.rules.candidate import Candidate, Context, inside, instead, needs_import
from parity.repairs.rules.changes import wrapped
from parity.repairs.rules.constructors import set_in_constructor
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import (
    FileExpression,
    called,
    is_call_of,
    of_spot,
    of_value,
    on_line,
    operands,
    statements,
)
from parity.repairs.source.static import UNKNOWN, value_of


def left_out(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that take an operation away: what it takes is written for it."""
    words = f"leave {undone.spot.operation} out"
    value = undone.value
    places = of_spot(context.project, undone.spot)
    if value is not None:
        places += [pair for pair in of_value(context.project, value) if pair not in places]
    kept = "" if undone.other is None else undone.other.call
    for file, node in places:
        if value is not None and _of_weights(undone) and isinstance(node, ast.Call):
            continue
        inner = list(operands(file, node))
        if inner and not (kept and is_call_of(node, kept)):
            first = inner.pop(min(undone.operand, len(inner) - 1))
            numbers = [n for n in (first, *inner) if value_of(file, n) is not UNKNOWN]
            for operand in [n for n in (first, *inner) if n not in numbers]:
                if not _is_setting(file, operand):
                    yield Candidate(undone.side, [instead(file, node, file.words(operand))], words)
    for file, statement in statements(context.project, undone.spot.place):
        if isinstance(statement, ast.AugAssign):
            yield Candidate(undone.side, [file.replaced(statement, "pass")], words)


STOPS = ("detach", "stop_gradient")
"""Functions and methods that let no gradient through."""


def stopped(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that take away what lets no gradient through on the line, where the backward pass is what was undone."""
    for file, node in _backward(context, undone, undone.spot.place):
        if called(node) in STOPS:
            for operand in operands(file, node)[:1]:
                edit = instead(file, node, file.words(operand))
                yield Candidate(undone.side, [edit], f"leave {called(node)} out", releases=True)


def stopped_elsewhere(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that let no gradient through on the other side either."""
    side = "torch" if undone.side == "flax" else "flax"
    for file, node in _backward(context, undone, context.difference.lines.get(side, "")):
        if isinstance(node, ast.Call | ast.BinOp):
            spelled, imports = needs_import(file, "jax.lax.stop_gradient") if side == "flax" else ("", [])
            text = f"{spelled}({file.words(node)})" if side == "flax" else f"{inside(file, node)}.detach()"
            yield Candidate(side, [instead(file, node, text), *imports], "let no gradient through")


def _backward(context: Context, undone: Undone, place: str) -> list[FileExpression]:
    if undone.spot.operation.rpartition(" of ")[0] != "the gradient":
        return []
    return list(reversed(list(on_line(context.project, place))))


def _is_setting(file: SourceFile, node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or isinstance(file.parents.get(node), ast.keyword)


def _of_weights(undone: Undone) -> bool:
    """Whether the operation is inside a library's layer, on an array of the layer's."""
    return undone.value is not None and bool(undone.value.call)


def _array_of(context: Context, undone: Undone) -> tuple[str, str]:
    """The array that an operation that is left out takes, by its names in Flax and in PyTorch; "" for none."""
    match = re.match(r"\w+ (?:adds|multiplies with|subtracts|divides by) ([\w.\[\]']+), and", context.difference.cause)
    if match is None:
        return "", ""
    for line in context.report.weights:
        if match[1] in (line.flax, line.torch):
            return line.flax, line.torch
    return "", ""


def added_elsewhere(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that write, on the other side, what this side does and it does not: with an array of the layer's, or with a
    number."""
    side = "torch" if undone.side == "flax" else "flax"
    line = context.difference.lines.get(side, "")
    sign = {"add": "+", "mul": "*", "sub": "-", "div": "/"}.get(undone.spot.operation)
    if not line or sign is None:
        return
    flax, torch = _array_of(context, undone)
    array = torch if side == "torch" else flax
    if array:
        name = f"self.{array}" if side == "torch" else f"self.{array}[...]"
        for file, node in _outer_first(on_line(context.project, line)):
            text = f"{inside(file, node)} {sign} {name}"
            yield Candidate(side, [instead(file, node, text)], f"{undone.spot.operation} {array}")
        return
    numbers = {
        repr(value_of(file, operand))
        for file, node in of_spot(context.project, undone.spot)
        for operand in operands(file, node)
        if isinstance(value_of(file, operand), int | float)
    }
    for number in numbers:
        places = _outer_first(on_line(context.project, line))
        means = {"+": ("plus", number), "*": ("times", number), "/": ("times", repr(1 / float(number or 1)))}.get(sign)
        if means is not None:
            yield from wrapped(side, means, places)


def _outer_first(places: Iterator[FileExpression]) -> list[FileExpression]:
    return [(f, n) for f, n in reversed(list(places)) if isinstance(n, ast.Call | ast.BinOp | ast.Name)]


def without_bias(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that make a layer without the bias that only it has."""
    if undone.value is not None and undone.value.call and undone.spot.operation == "add":
        names = ("bias",) if undone.side == "torch" else ("use_bias",)
        for edits in set_in_constructor(context.project, undone.side, (undone.value.call, ""), names, (..., "False")):
            yield Candidate(undone.side, edits, f"write {names[0]}=False")


def without_reversal(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that take reverse=True away from a layer that reverses what it takes."""
    for file in context.project.files.values() if undone.spot.operation in ("rev", "flip") else ():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and any(keyword.arg == "reverse" for keyword in node.keywords):
                for edits in with_setting(file, node, ("reverse",), ..., "False"):
                    yield Candidate(undone.side, edits, "write reverse=False")


def run_again(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that run a loop around a line once less, or take the second of two equal statements away."""
    for file, statement in statements(context.project, undone.spot.place):
        for loop in (node for node in file.above(statement) if isinstance(node, ast.For)):
            times = loop.iter
            if called(times) == "range" and isinstance(times, ast.Call) and len(times.args) == 1:
                count = value_of(file, times.args[0])
                text = str(count - 1) if isinstance(count, int) else f"{file.words(times.args[0])} - 1"
                yield Candidate(undone.side, [file.replaced(times.args[0], text)], "run the loop once less")
        parent = file.parents.get(statement)
        block = next((b for b in vars(parent).values() if isinstance(b, list) and statement in b), [])
        alike = [s for s in block if file.words(s) == file.words(statement)]
        if len(alike) > 1:
            yield Candidate(undone.side, [file.replaced(alike[-1], "pass")], "run the statement once less")


def another_value(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that take another value: the targets of an unpacking changed over, or an expression for another."""
    if undone.value is None or undone.other is None:
        return
    if undone.value.made == undone.other.made and undone.value.parts > 1:
        yield from _backwards(context, undone)
        yield from _changed_over(context, undone)
    for file, node, text in _replacements(context, undone):
        yield Candidate(undone.side, [instead(file, node, text)], f"take {text}")


def _backwards(context: Context, undone: Undone) -> Iterator[Candidate]:
    """All parts of what is taken apart, from the last to the first."""
    assert undone.value is not None and undone.other is not None
    if undone.value.part + undone.other.part == undone.value.parts - 1:
        for file, node in of_spot(context.project, undone.spot):
            yield Candidate(
                undone.side, [instead(file, node, f"{inside(file, node)}[::-1]")], "take the parts backwards"
            )


def _changed_over(context: Context, undone: Undone) -> Iterator[Candidate]:
    """The names of an unpacking in another order."""
    assert undone.value is not None and undone.other is not None
    for file, statement in statements(context.project, undone.spot.place):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            names: Sequence[ast.expr] = statement.targets[0].elts
            if max(undone.value.part, undone.other.part) < len(names):
                first, second = names[undone.value.part], names[undone.other.part]
                edits: list[TextEdit] = [
                    file.replaced(first, file.words(second)),
                    file.replaced(second, file.words(first)),
                ]
                yield Candidate(undone.side, edits, "change the names of the unpacking over")


def _replacements(context: Context, undone: Undone) -> Iterator[tuple[SourceFile, ast.expr, str]]:
    """Each expression of the value, or of what takes it, with what may be written for it."""
    assert undone.value is not None and undone.other is not None
    places = of_value(context.project, undone.value)
    for use in undone.value.used:
        for file, node in of_spot(context.project, use.spot):
            inner = list(operands(file, node))
            places = [(file, operand) for operand in inner[use.operand : use.operand + 1]] + places
    for file, node in places:
        for text in dict.fromkeys(_texts(context, file, node, undone.other)):
            if text != file.words(node):
                yield file, node, text


def _texts(context: Context, file: SourceFile, node: ast.expr, other: SourceValue) -> Iterator[str]:
    """What may be written for a value: an expression of it within the other one, or the name that it is kept under."""
    for there, expression in of_value(context.project, other):
        if there is file and expression is not node and expression in set(ast.walk(node)):
            yield file.words(expression)
        for above in there.above(expression):
            if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name) and there is file:
                yield above.targets[0].id
            if isinstance(above, ast.stmt):
                break
    for inner in operands(file, node):
        if not _is_setting(file, inner):
            yield file.words(inner)
